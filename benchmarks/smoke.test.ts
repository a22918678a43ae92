// Every case of every suite once, with tiny parameters: shows that the drivers know their actions and that results are right.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allCases, suites } from './src/catalog/index.ts'
import type { Row } from './src/rows.ts'

const main = join(import.meta.dirname, 'main.ts')
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tbk-bench-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  code: number | null
  output: string
}

function bench(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (text) => (output += String(text)))
    child.stderr.on('data', (text) => (output += String(text)))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

describe.each(suites)('suite %s', (suite) => {
  test('gives a row for each case and subject', { timeout: 300_000 }, async () => {
    const file = join(folder, `${suite}.json`)
    const args = ['--suite', suite, '--small', '--repetitions', '1', '--seconds', '0.02']
    const { code, output } = await bench([...args, '--json', file])
    expect(output).not.toContain('FAILED')
    expect(code, output).toBe(0)
    const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[]
    for (const row of rows) {
      expect(row.median, JSON.stringify(row)).toBeGreaterThan(0)
      expect(row.min).toBeLessThanOrEqual(row.median)
      expect(row.max).toBeGreaterThanOrEqual(row.median)
      expect(row.samples).toBe(1)
      expect(row.unit).not.toBe('')
      expect(row.ratio_to).toEqual({})
    }
    for (const each of allCases.filter((one) => one.suite === suite)) {
      const subjects = rows.filter((row) => row.case === each.name).map((row) => row.subject)
      expect(subjects, each.name).toEqual(each.subjects)
    }
    expect(rows.some((row) => row.case === 'spin-rtt' || row.case === 'futex-rtt-same')).toBe(true)
  })
})

test('the bare rings and the socket give the ratios', { timeout: 120_000 }, async () => {
  const file = join(folder, 'limit.json')
  const args = [
    '--suite',
    'calls',
    '--case',
    'actor-async',
    '--subject',
    'ts>py',
    '--peer',
    'limit',
  ]
  const { code, output } = await bench([
    ...args,
    ...['--small', '--repetitions', '2', '--seconds', '0.02', '--json', file],
  ])
  expect(code, output).toBe(0)
  const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[]
  const ours = rows.find((row) => row.subject === 'ts>py')!
  expect(Object.keys(ours.ratio_to).sort()).toEqual(['json-socket', 'limit', 'limit-cpp'])
  for (const [peer, ratio] of Object.entries(ours.ratio_to)) {
    const theirs = rows.find((row) => row.case === 'actor-async' && row.subject === peer)!
    expect(ratio).toBeCloseTo(ours.median / theirs.median, 2)
  }
})

test('a wrong option is told with what there is', async () => {
  const { code, output } = await bench(['--suite', 'calls', '--case', 'nothing'])
  expect(code).toBe(2)
  expect(output).toContain('there is no case nothing in the suite; there is actor-sync')
})
