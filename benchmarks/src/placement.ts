// Virtual machines move their two CPUs nearer together and farther apart, for minutes at a time. Figures of the one
// cannot be compared with figures of the other.
import { availableParallelism } from 'node:os'
import { takeCalibrator } from './subjects/calibrator.ts'

export type Placement = 'near' | 'far' | 'one-cpu'

/** Round trips by spinning take about 0.1 us near and 0.6 us far; there is nothing in between. */
const farFromUs = 0.25

export function placementOf(spinRoundTripUs: number): Placement {
  return spinRoundTripUs < farFromUs ? 'near' : 'far'
}

export async function lookAtPlacement(): Promise<Placement> {
  if (availableParallelism() < 2) return 'one-cpu'
  return placementOf(await takeCalibrator('spin-rtt'))
}

/** What several looks say together. */
export function combine<T extends Placement | 'mixed'>(looks: readonly T[]): T | 'mixed' {
  return new Set(looks).size === 1 ? looks[0]! : 'mixed'
}
