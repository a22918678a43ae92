import { describe, expect, test } from 'vitest'
import { addRatios, makeRow, ratioTo } from './rows.ts'
import type { Sample } from './sample.ts'
import { asSample } from './sample.ts'

const sampleOf = (value: number, more: Partial<Sample> = {}): Sample => ({
  value,
  checked: 1,
  ...more,
})
const rate = { name: 'actor-sync', unit: 'calls/s' } as const
const cost = { name: 'init', unit: 'ms' } as const

describe('rows', () => {
  test('a row has the median, the ends and the figure of each round', () => {
    const row = makeRow(
      rate,
      'ts>py',
      [30, 10, 20].map((value) => sampleOf(value)),
      'near',
    )
    expect(row).toMatchObject({ median: 20, min: 10, max: 30, samples: 3, values: [30, 10, 20] })
  })

  test('a rate becomes microseconds per call where the case wants a cost', () => {
    const row = makeRow(
      { name: 'in-flight-1', unit: 'us/call' },
      'ts>py',
      [sampleOf(500_000)],
      'far',
    )
    expect(row.median).toBe(2)
  })

  test('percentiles are medians over the rounds, or taken from the single times if they are there', () => {
    const rounds = [1, 2, 9].map((p50) => sampleOf(1, { p50, p99: p50 * 10 }))
    expect(makeRow(rate, 'ts>py', rounds, 'near')).toMatchObject({ p50: 2, p99: 20 })
    const deaths = [
      [5, 6],
      [7, 100],
    ].map((times) => sampleOf(1, { times }))
    expect(makeRow(rate, 'ts>py', deaths, 'near')).toMatchObject({ p50: 6, p99: 100 })
  })

  test('details are medians by name', () => {
    const rounds = [4, 6, 5].map((threads) => sampleOf(1, { details: { threads } }))
    expect(makeRow(rate, 'ts>py', rounds, 'near').details).toEqual({ threads: 5 })
  })
})

describe('ratios', () => {
  test('more is better, for rates and for costs', () => {
    expect(ratioTo(200, 100, false)).toBe(2)
    expect(ratioTo(100, 200, true)).toBe(2)
    expect(ratioTo(300, 150, true)).toBe(0.5)
  })

  test('each of ours is compared with each peer, and peers with nobody', () => {
    const values = { 'ts>py': 1000, 'py>py': 500, ray: 10, limit: 2000 }
    const rows = Object.entries(values).map(([name, value]) =>
      makeRow(rate, name, [sampleOf(value)], 'near'),
    )
    addRatios(rate, rows)
    expect(rows.map((row) => row.ratio_to)).toEqual([
      { ray: 100, limit: 0.5 },
      { ray: 50, limit: 0.25 },
      {},
      {},
    ])
  })

  test('for a time the peer is divided by ours', () => {
    const rows = [
      makeRow(cost, 'ts>py', [sampleOf(200)], 'near'),
      makeRow(cost, 'ray', [sampleOf(2000)], 'near'),
    ]
    addRatios(cost, rows)
    expect(rows[0]!.ratio_to).toEqual({ ray: 10 })
  })
})

describe('answers of drivers', () => {
  test('a figure that is none, or that nobody checked, is refused', () => {
    expect(() => asSample({ value: null, checked: 1 })).toThrow('measured null')
    expect(() => asSample({ value: 0, checked: 1 })).toThrow('measured 0')
    expect(() => asSample({ value: 1, checked: 0 })).toThrow('checked none')
    expect(asSample({ value: 1, checked: 1 }).value).toBe(1)
  })
})
