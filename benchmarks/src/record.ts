// The recorded run: one file with the last rows of each suite, and the page made from it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Suite, allCases, suites } from './catalog/index.ts'
import { drawChart } from './chart.ts'
import type { Machine } from './machine.ts'
import { makePage } from './page.ts'
import { benchmarks, root } from './paths.ts'
import type { Placement } from './placement.ts'
import type { Failure } from './rounds.ts'
import type { Row } from './rows.ts'

export interface SuiteRecord {
  readonly recorded: string
  readonly machine: Machine
  readonly placement: Placement
  readonly repetitions: number
  readonly seconds: number
  readonly failures: readonly Failure[]
  readonly rows: readonly Row[]
}

export type Record_ = Partial<Record<Suite, SuiteRecord>>

interface Run extends Omit<SuiteRecord, 'recorded'> {
  readonly suites: readonly Suite[]
}

const folder = join(benchmarks, 'results')
const file = join(folder, 'latest.json')

/** Replaces the record of the suites of this run, and writes the page and its chart. */
export function record({ suites: measured, ...run }: Run): void {
  const kept: Record_ = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record_) : {}
  const recorded = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const suiteOf = new Map(allCases.map((each) => [each.name, each.suite]))
  for (const suite of measured) {
    // The calibrators belong to no suite: they are told with each.
    const rows = run.rows.filter((row) => (suiteOf.get(row.case) ?? suite) === suite)
    const failures = run.failures
      .filter((each) => suiteOf.get(each.case) === suite)
      .map((each) => ({ ...each, error: firstLine(each.error) }))
    kept[suite] = { ...run, recorded: `${recorded} UTC`, rows, failures }
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, toText(kept))
  writePage(kept)
}

/** What failed, without traces that name the folders of one machine. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.replaceAll(root, '.').replaceAll(`${homedir()}/`, '~/')
}

/** JSON with one row per line, so that a difference between two records can be read. */
function toText(records: Record_): string {
  const text = suites.flatMap((suite) => {
    const each = records[suite]
    if (!each) return []
    const { rows, ...rest } = each
    const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n')
    const head = JSON.stringify(rest).slice(0, -1)
    return [`  ${JSON.stringify(suite)}: ${head}, "rows": [\n${lines}\n  ]}`]
  })
  return `{\n${text.join(',\n')}\n}\n`
}

export function writePage(records: Record_): void {
  writeFileSync(join(folder, 'chart.svg'), drawChart(records))
  writeFileSync(join(benchmarks, 'RESULTS.md'), makePage(records))
}

/** Makes the page again from what is recorded. */
export function rewritePage(): void {
  writePage(JSON.parse(readFileSync(file, 'utf8')) as Record_)
}
