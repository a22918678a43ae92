/** The value below which `share` of the samples lie, by the nearest rank; NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) return NaN
  const sorted = [...samples].sort((a, b) => a - b)
  const rank = Math.ceil(share * sorted.length) - 1
  return sorted[Math.max(0, rank)]!
}

/** The middle sample, or the mean of the two in the middle; NaN without samples. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) return NaN
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Half the distance from the smallest to the largest sample, in percent of the median. */
export function spreadPercent(summary: { median: number; min: number; max: number }): number {
  return summary.median === 0 ? 0 : ((summary.max - summary.min) / 2 / summary.median) * 100
}

/** Four significant digits: more would suggest a precision that no benchmark has. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
