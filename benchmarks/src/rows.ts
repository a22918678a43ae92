import { type Case, isCost } from './catalog/index.ts'
import type { Placement } from './placement.ts'
import type { Sample } from './sample.ts'
import { median, percentile, rounded } from './statistics.ts'

export interface Row {
  case: string
  subject: string
  unit: string
  median: number
  min: number
  max: number
  /** How many rounds. */
  samples: number
  /** The figure of each round. */
  values: number[]
  p50?: number
  p99?: number
  details?: Record<string, number>
  placement: Placement | 'mixed'
  /** For each peer of this run: how many times better ours is; more is always better. */
  ratio_to: Record<string, number>
}

/** Ours that have no `>` in their name are peers. */
export const isPeer = (subject: string): boolean => !subject.includes('>')

/** Ours divided by theirs, for costs theirs divided by ours. */
export function ratioTo(ours: number, theirs: number, lessIsBetter: boolean): number {
  return rounded(lessIsBetter ? theirs / ours : ours / theirs)
}

export function makeRow(
  each: Pick<Case, 'name' | 'unit'>,
  subject: string,
  samples: readonly Sample[],
  placement: Row['placement'],
): Row {
  const values = samples.map(({ value }) => (each.unit === 'us/call' ? 1e6 / value : value))
  const row: Row = {
    case: each.name,
    subject,
    unit: each.unit,
    median: rounded(median(values)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
    samples: values.length,
    values: values.map(rounded),
    placement,
    ratio_to: {},
  }
  addPercentiles(row, samples)
  const details = mergeDetails(samples)
  if (details) row.details = details
  return row
}

function addPercentiles(row: Row, samples: readonly Sample[]): void {
  const times = samples.flatMap((sample) => sample.times ?? [])
  if (times.length > 0) {
    row.p50 = rounded(percentile(times, 0.5))
    row.p99 = rounded(percentile(times, 0.99))
    return
  }
  const p50 = samples.flatMap((sample) => sample.p50 ?? [])
  const p99 = samples.flatMap((sample) => sample.p99 ?? [])
  if (p50.length > 0) row.p50 = rounded(median(p50))
  if (p99.length > 0) row.p99 = rounded(median(p99))
}

function mergeDetails(samples: readonly Sample[]): Record<string, number> | undefined {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample.details ?? {})))
  if (names.size === 0) return undefined
  const merged: Record<string, number> = {}
  for (const name of names) {
    merged[name] = rounded(median(samples.flatMap((sample) => sample.details?.[name] ?? [])))
  }
  return merged
}

/** Fills in `ratio_to` of the rows of one case. */
export function addRatios(each: Pick<Case, 'unit'>, rows: readonly Row[]): void {
  const peers = rows.filter((row) => isPeer(row.subject))
  for (const row of rows) {
    if (isPeer(row.subject)) continue
    for (const peer of peers) {
      row.ratio_to[peer.subject] = ratioTo(row.median, peer.median, isCost(each.unit))
    }
  }
}
