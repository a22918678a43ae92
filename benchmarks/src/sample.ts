/** What one subject gives for one case in one round. */
export interface Sample {
  /** In the case's unit; calls per second where the unit is microseconds per call. */
  readonly value: number
  /** Microseconds (milliseconds for cases in ms) of single calls, where they are told apart. */
  readonly p50?: number
  readonly p99?: number
  /** The single times themselves, where they are few: percentiles are then taken over all rounds. */
  readonly times?: readonly number[]
  /** How many results were compared with what they had to be. */
  readonly checked: number
  /** Further figures, by name with the unit last. */
  readonly details?: Readonly<Record<string, number>>
}

/** Refuses an answer of a driver that has not the shape of a sample. */
export function asSample(answer: unknown): Sample {
  const sample = answer as Sample
  if (!Number.isFinite(sample.value) || sample.value <= 0) {
    throw new Error(`a driver measured ${JSON.stringify(sample.value)}`)
  }
  if (!(sample.checked > 0)) throw new Error('a driver checked none of its results')
  return sample
}
