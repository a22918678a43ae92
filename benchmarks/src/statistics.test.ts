import { describe, expect, test } from 'vitest'
import { median, percentile, rounded, spreadPercent } from './statistics.ts'

describe('statistics', () => {
  test('the median of an even number of samples is the mean of the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([9, 1, 5])).toBe(5)
    expect(median([])).toBeNaN()
  })

  test('a percentile is the sample of the nearest rank', () => {
    const samples = Array.from({ length: 100 }, (_, n) => 100 - n)
    expect(percentile(samples, 0.5)).toBe(50)
    expect(percentile(samples, 0.99)).toBe(99)
    expect(percentile([7], 0.99)).toBe(7)
    expect(percentile([], 0.5)).toBeNaN()
  })

  test('sorting does not touch the samples', () => {
    const samples = [3, 1, 2]
    median(samples)
    percentile(samples, 0.5)
    expect(samples).toEqual([3, 1, 2])
  })

  test('the spread is half the range in percent of the median', () => {
    expect(spreadPercent({ median: 100, min: 90, max: 130 })).toBe(20)
    expect(spreadPercent({ median: 0, min: 0, max: 0 })).toBe(0)
  })

  test('figures have four significant digits', () => {
    expect(rounded(123_456.7)).toBe(123_500)
    expect(rounded(0.000123456)).toBe(0.0001235)
  })
})
