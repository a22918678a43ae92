// Each program of examples/basics prints what its comments say, and leaves nothing behind.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandFor, isProgram, promisedLines } from './support/promises.ts'
import { root, run } from './support/run.ts'

const folder = join(root, 'examples', 'basics')
const sources = readdirSync(folder)
  .filter((file) => /\.(ts|py)$/.test(file))
  .map((file) => ({ file, source: readFileSync(join(folder, file), 'utf8') }))
const programs = sources.filter(({ source }) => isProgram(source))

test('there are programs of both languages', () => {
  expect(programs.map(({ file }) => file)).toEqual(
    expect.arrayContaining(['call-python.ts', 'call_typescript.py']),
  )
})

test.each(programs)('$file', async ({ file, source }) => {
  const outcome = await run(commandFor(join('examples', 'basics', file)), { cwd: root })
  expect(outcome.stderr).toBe('')
  expect(outcome.stdout.trimEnd().split('\n')).toEqual(promisedLines(source))
  expect(outcome).toMatchObject({ status: 0, left: [], files: [] })
})

test('the list of programs is complete', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  for (const { file } of sources) expect(readme).toContain(`(${file})`)
})

describe('what a program promises', () => {
  test('is what stands behind its prints', () => {
    const source =
      "console.log(a('//'), b) // 1 # 2\n  print(x)  # [1, 2]\nprintln(3)\n" +
      'for (const x of y) console.log(x) // 3, 4\nfor x in y:\n    print(x)  # 5, 6\n'
    expect(promisedLines(source)).toEqual(['1 # 2', '[1, 2]', '3', '4', '5', '6'])
  })
  test('must not be left out', () => {
    expect(() => promisedLines('print(x)\n')).toThrow('does not say what it prints: print(x)')
  })
})
