// The blocks of the documents that users read first are programs that run, and print what they say.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf, filesOf } from './support/blocks.ts'
import { commandFor, isProgram, promisedLines } from './support/promises.ts'
import { root, run } from './support/run.ts'

const documents = [
  'README.md',
  'workers/typescript/README.md',
  'workers/python/README.md',
  'examples/basics/README.md',
]

describe.each(documents)('%s', (document) => {
  const markdown = readFileSync(join(root, document), 'utf8')
  const blocks = blocksOf(markdown)
  const files = filesOf(blocks)
  const programs = [...files].filter(([, source]) => isProgram(source))
  let folder: string

  beforeAll(() => {
    // Within the checkout, so that `thornback` is found as it is for users.
    mkdirSync(join(root, '.cache'), { recursive: true })
    folder = mkdtempSync(join(root, '.cache', 'readme-'))
    for (const [file, source] of files) writeFileSync(join(folder, file), source)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.skipIf(programs.length === 0).each(programs)('%s', async (file, source) => {
    const outcome = await run(commandFor(file), { cwd: folder })
    expect(outcome.stderr).toBe('')
    expect(outcome.stdout.trimEnd().split('\n')).toEqual(promisedLines(source))
    expect(outcome).toMatchObject({ status: 0, left: [], files: [] })
  })

  test.skipIf(![...files.keys()].some((file) => file.endsWith('.ts')))('types', async () => {
    const extended = join(root, 'tsconfig.base.json')
    const config = {
      extends: extended,
      include: ['*.ts'],
      compilerOptions: { noUnusedLocals: false },
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const outcome = await run(['tsc', '-p', '.'], { cwd: folder })
    expect(outcome).toMatchObject({ status: 0, stdout: '' })
  })

  test('every file is a program or used by one', () => {
    for (const [file] of files) {
      const module = file.replace(/\.(ts|py)$/, '')
      const users = programs.filter(([name, source]) => name === file || source.includes(module))
      expect(users, file).not.toEqual([])
    }
  })

  test('the commands exist', () => {
    const scripts = packageScripts()
    for (const { text } of blocks.filter(({ language }) => language === 'sh')) {
      for (const line of text.trimEnd().split('\n')) {
        const [command] = line.split(/\s{2,}#/)
        const [npm, ...words] = command!.trim().split(' ')
        expect(npm).toBe('npm')
        const script = words[0] === 'run' ? words[1]! : words[0]!
        expect(scripts).toHaveProperty([script])
        const file = words.findLast((word) => /\.(ts|py)$/.test(word))
        if (file !== undefined && !files.has(file)) readFileSync(join(root, file))
      }
    }
  })

  test('links lead somewhere', () => {
    for (const [, target] of markdown.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      expect(existsSync(join(root, dirname(document), target!)), target).toBe(true)
    }
  })
})

function packageScripts(): Record<string, string> {
  const text = readFileSync(join(root, 'package.json'), 'utf8')
  return (JSON.parse(text) as { scripts: Record<string, string> }).scripts
}
