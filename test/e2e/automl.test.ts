// The AutoML example: the same scores as plain scikit-learn, and what a user sees of it.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Result, Row } from '../../examples/automl/service.ts'
import { blocksOf } from './support/blocks.ts'
import { type Outcome, root, run } from './support/run.ts'

const timeoutMs = 240_000
const examples = join(root, 'examples', 'automl')
const main = join('examples', 'automl', 'main.ts')
const python = (script: string): string[] => ['python', script]
const node = (script: string): string[] => [process.execPath, script]

type Rankings = Record<string, Row[]>

/** The last line of a program's output. */
function jsonOf<T>({ stdout }: Outcome): T {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T
}

const textOf = (row: Row, index: number): string =>
  `${index + 1}  ${row.model.padEnd(24)}  ${(100 * row.mean).toFixed(2)} %  ±${(100 * row.std).toFixed(2)}`

let expected: Rankings

beforeAll(async () => {
  const reference = join('test', 'e2e', 'automl_reference.py')
  expected = jsonOf(await run(python(reference), { cwd: root, timeoutMs }))
}, timeoutMs)

test('the reference has two data sets and six models each', () => {
  expect(Object.keys(expected)).toEqual(['digits', 'breast cancer'])
  for (const ranking of Object.values(expected)) {
    expect(new Set(ranking.map(({ model }) => model)).size).toBe(6)
    expect(new Set(ranking.map(({ mean }) => mean)).size).toBe(6)
  }
})

test(
  'the service ranks and scores as a plain loop does, and copies no array',
  async () => {
    const client = join('test', 'e2e', 'support', 'automl-client.ts')
    const outcome = await run(node(client), { cwd: root, timeoutMs })
    expect(outcome).toMatchObject({ status: 0, stderr: '', left: [], files: [] })
    const results = jsonOf<Record<string, Result>>(outcome)
    for (const [dataset, ranking] of Object.entries(expected)) {
      const { ranking: ranked, samples, features, steps, bytesShared } = results[dataset]!
      expect(ranked).toEqual(ranking)
      // The labels are small enough to travel with the call.
      expect(bytesShared).toBeGreaterThanOrEqual(steps * samples * features * 8)
    }
  },
  timeoutMs,
)

describe('the program', () => {
  let lines: string[]

  beforeAll(async () => {
    const outcome = await run(node(main), { cwd: root, timeoutMs })
    expect(outcome).toMatchObject({ status: 0, stderr: '', left: [], files: [] })
    expect(outcome.stdout).not.toContain('\x1b')
    lines = outcome.stdout.split('\n').map((line) => line.trimEnd())
  }, timeoutMs)

  const starting = (word: string): string[] =>
    lines.filter((line) => line.trimStart().startsWith(word))

  test('shows how far it is, without moving the cursor', () => {
    expect(starting('workers').filter((line) => line.includes('30/30'))).toHaveLength(2)
    expect(starting('one process').filter((line) => line.includes('30/30'))).toHaveLength(2)
  })

  test('shows the leaderboards', () => {
    const rows = Object.values(expected).flatMap((ranking) => ranking.map(textOf))
    const shown = lines.map((line) => line.trim()).filter((line) => /^\d {2}\w/.test(line))
    expect(shown.map((line) => line.replace(/ {3}[·•◆]+$/, ''))).toEqual(rows)
  })

  test('says what it measured and checked', () => {
    const best = Object.values(expected).map(([row]) => row!.model)
    expect(starting('best model').map((line) => /model {4,}(.*):/.exec(line)?.[1])).toEqual(best)
    const facts = [/wall time.* s, \d+\.\d times as fast as one process$/, /27\.6 MB of arrays/]
    for (const fact of facts) expect(lines).toContainEqual(expect.stringMatching(fact))
    expect(starting('trainer')).toHaveLength(2)
    expect(lines.at(-2)).toMatch(/session {2}ended; none of its \d+ processes is left$/)
  })

  test('looks as the README shows it', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const [sample] = blocksOf(readme).filter(({ language }) => language === 'text')
    const shown = sample!.text.trimEnd().split('\n')
    expect(shown).toHaveLength(4)
    expect(lines.map((line) => line.trim())).toEqual(
      expect.arrayContaining(shown.map((line) => line.trim())),
    )
  })
})

test(
  'in a terminal the bars move, and fit',
  async () => {
    const command = `stty cols 80 && ${process.execPath} ${main} 'breast cancer'`
    const env = { TERM: 'xterm-256color', FORCE_COLOR: '1' }
    const recording = ['script', '-qec', command, '/dev/null']
    const outcome = await run(recording, { cwd: root, timeoutMs, env })
    expect(outcome).toMatchObject({ status: 0, left: [] })
    // eslint-disable-next-line no-control-regex -- what terminals get
    const visible = outcome.stdout.replaceAll(/\x1b\[[\d;]*[A-Za-z]/g, '')
    const drawn = visible.split(/[\r\n]+/)
    expect(drawn.filter((line) => /^ {2}workers +━*─* +\d+\/30/.test(line))).toHaveLength(31)
    expect(Math.max(...drawn.map((line) => [...line].length))).toBeLessThanOrEqual(80)
    expect(outcome.stdout).toContain('\x1b[32m━')
  },
  timeoutMs,
)

test('all of it is at most 260 lines', () => {
  const files = globSync('*.{ts,py}', { cwd: examples })
  expect(files.sort()).toEqual(['main.ts', 'service.ts', 'terminal.ts', 'trainer.py'])
  const lines = files.map(
    (file) => readFileSync(join(examples, file), 'utf8').split('\n').length - 1,
  )
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(260)
})
