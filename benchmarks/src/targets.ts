import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchmarks } from './paths.ts'
import type { Row } from './rows.ts'
import { rounded } from './statistics.ts'

/** `median` (the default), `p50`, `p99`, or `details.<name>`. */
type Figure = string

export interface Target {
  readonly case: string
  readonly subjects: readonly string[]
  readonly of?: Figure
  /** The figure is the row's ratio to this peer. */
  readonly peer?: string
  /** The figure is divided by that of another row; its subject is the same one unless it is named. */
  readonly against?: { readonly case: string; readonly subject?: string; readonly of?: Figure }
  readonly atLeast?: number
  readonly atMost?: number
  readonly aim?: number
}

export interface Verdict {
  readonly case: string
  readonly subject: string
  /** What was asked for, readable. */
  readonly wanted: string
  readonly got: number
  readonly isMet: boolean
}

export function readTargets(): Target[] {
  return JSON.parse(readFileSync(join(benchmarks, 'targets.json'), 'utf8')) as Target[]
}

/** One verdict for each target and subject that the rows say something about. */
export function judge(targets: readonly Target[], rows: readonly Row[]): Verdict[] {
  return targets.flatMap((target) =>
    target.subjects.flatMap((subject) => {
      const row = find(rows, target.case, subject)
      const got = row === undefined ? undefined : figureOf(target, row, rows)
      if (got === undefined) return []
      const isMet =
        got >= (target.atLeast ?? Number.NEGATIVE_INFINITY) && got <= (target.atMost ?? Infinity)
      const wanted = describe(target, row!.unit)
      return [{ case: target.case, subject, wanted, got: rounded(got), isMet }]
    }),
  )
}

function find(rows: readonly Row[], name: string, subject: string): Row | undefined {
  return rows.find((row) => row.case === name && row.subject === subject)
}

function figureOf(target: Target, row: Row, rows: readonly Row[]): number | undefined {
  if (target.peer !== undefined) return row.ratio_to[target.peer]
  const own = pick(row, target.of)
  const { against } = target
  if (against === undefined || own === undefined) return own
  const other = find(rows, against.case, against.subject ?? row.subject)
  const theirs = other === undefined ? undefined : pick(other, against.of ?? target.of)
  return theirs === undefined ? undefined : own / theirs
}

function pick(row: Row, figure: Figure = 'median'): number | undefined {
  if (figure.startsWith('details.')) return row.details?.[figure.slice('details.'.length)]
  if (figure === 'p50') return row.p50
  if (figure === 'p99') return row.p99
  return row.median
}

/** Percentiles are in microseconds, except for cases that are measured in milliseconds. */
function describe(target: Target, unit: string): string {
  const bound = target.atLeast ?? target.atMost
  const sign = target.atLeast === undefined ? 'at most' : 'at least'
  const aim = target.aim === undefined ? '' : `, aim ${target.aim}`
  if (target.peer !== undefined) return `${sign} ${bound} x ${target.peer}${aim}`
  const figure = (target.of ?? 'median').replace('details.', '')
  if (target.against !== undefined) {
    return `${figure} ${sign} ${bound} x ${target.against.case}${aim}`
  }
  const percentileUnit = unit === 'ms' ? 'ms' : 'us'
  const of = figure === 'median' ? unit : /^p\d+$/.test(figure) ? percentileUnit : ''
  return `${figure} ${sign} ${bound}${of ? ` ${of}` : ''}${aim}`
}
