import { availableParallelism } from 'node:os'
import { type Placement, placementOf } from './placement.ts'
import type { Row } from './rows.ts'
import { runLimit } from './subjects/calibrator.ts'

export interface Calibration {
  readonly placement: Placement
  readonly rows: Row[]
}

/** What the machine itself can do now: the rows that every run begins with. */
export async function calibrate(repetitions: number): Promise<Calibration> {
  const figures = await runLimit(['--repetitions', String(repetitions)])
  const spin = figures.find((each) => each.case === 'spin-rtt')
  if (!spin) throw new Error('thornback_limit gave no spin-rtt')
  const placement = availableParallelism() < 2 ? 'one-cpu' : placementOf(spin.median)
  const rows = figures.map((each): Row => ({
    case: each.case,
    subject: 'limit',
    unit: each.unit,
    median: each.median,
    min: each.min,
    max: each.max,
    samples: each.samples,
    values: [],
    ...(each.p99 === undefined ? {} : { p99: each.p99 }),
    placement,
    ratio_to: {},
  }))
  return { placement, rows }
}
