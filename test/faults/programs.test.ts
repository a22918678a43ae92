// Programs as users write them: tasks in the very file that calls init(), in __main__, in cells; what workers print.

import { describe, expect, test } from 'vitest'
import { Program } from './support/program.ts'

describe('a TypeScript program that defines its tasks in the file that calls init()', () => {
  test('works when guarded with import.meta.main', async () => {
    using program = Program.typescript('guarded.ts')
    const { status, stdout, stderr } = await program.ended
    expect(stdout).toBe('result 42 5\n')
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  test('says so in one sentence when it is not', async () => {
    using program = Program.typescript('unguarded.ts')
    const { status, stdout, stderr } = await program.ended
    const { code, message } = JSON.parse(stdout.replace(/^error /, '')) as Record<string, string>
    expect(code).toBe('INIT_IN_WORKER')
    expect(message).toContain('import.meta.main')
    expect(message).not.toContain('\n')
    expect(status).toBe(0)
    // The worker ran the file up to init(), and no further: there was one session.
    expect(stderr.match(/driver code runs/g)!.length).toBeLessThanOrEqual(2)
    await program.vanishes()
  })
})

describe('a Python program', () => {
  test.each(['guarded.py', 'unguarded.py'])(
    'with its functions in __main__ works: %s',
    async (file) => {
      using program = Program.python(file)
      const { status, stdout, stderr } = await program.ended
      expect({ status, stdout }).toEqual({
        status: 0,
        stdout: file === 'guarded.py' ? 'result 42 5\n' : 'result 42\n',
      })
      // No worker ran the program again.
      expect(stderr).toBe(file === 'guarded.py' ? '' : 'driver code runs\n')
    },
  )

  test('that names a task of an unguarded file is told so', async () => {
    using program = Program.python('imports_unguarded.py')
    const { status, stdout } = await program.ended
    expect(status).toBe(0)
    const error = JSON.parse(stdout.replace(/^error /, '')) as Record<string, string>
    expect(error['code']).toMatch(/INIT_IN_WORKER|IMPORT_FAILED/)
    expect(error['message']).toContain('if __name__ == "__main__"')
  })

  test('made of cells works, and sees what is defined again', async () => {
    using program = Program.python('notebook.py')
    const { status, stdout, stderr } = await program.ended
    expect(stderr).toBe('')
    expect(stdout).toBe('result 2 12 [1, 2] 50\n')
    expect(status).toBe(0)
  })
})

describe.each([
  ['TypeScript', () => Program.typescript('output.ts')],
  ['Python', () => Program.python('output.py')],
])('what workers of a %s driver print', (_language, start) => {
  test('appears on its stderr, each line with its worker, and never on its stdout', async () => {
    using program = start()
    const { status, stdout, stderr } = await program.ended
    expect(stdout).toBe('data 1\ndata 2\n')
    const lines = stderr.trimEnd().split('\n')
    const printed = ['ts task out', 'ts task err', 'py task out', 'py task err']
    for (const kind of ['ts', 'py']) {
      printed.push(`${kind} actor out, first line`, `${kind} actor out, second line`)
    }
    const texts = lines.map((line) => /^\((.+) pid=\d+\) (.*)$/.exec(line))
    expect(texts).not.toContain(null)
    expect(texts.map((match) => match![2]).sort()).toEqual(printed.sort())
    const actors = texts.filter((match) => match![2]!.includes('actor')).map((match) => match![1])
    expect(new Set(actors)).toEqual(new Set(['Printer']))
    expect(status).toBe(0)
  })
})
