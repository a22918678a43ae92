import { describe, expect, test } from 'vitest'

import { Duration, PlainClockTime, PlainDate, PlainDateTime } from './plain-time.ts'

describe('texts', () => {
  test.each([
    [PlainDate, '2024-02-29', '2024-02-29'],
    [PlainDate, '2000-02-29', '2000-02-29'],
    [PlainClockTime, '01:02:03.5', '01:02:03.500000'],
    [PlainClockTime, '01:02:03.000', '01:02:03'],
    [PlainClockTime, '01:02:03.0000001', '01:02:03.000000100'],
    [PlainDateTime, '2024-02-29T01:02:03', '2024-02-29T01:02:03'],
    [Duration, 'PT007.25S', 'PT7.250000S'],
    [Duration, '-PT0.0S', 'PT0S'],
    [Duration, '-PT90S', '-PT90S'],
  ])('%o of %s is %s', (type, text, canonical) => {
    expect(new type(text).toString()).toBe(canonical)
    expect(JSON.stringify(new type(text))).toBe(JSON.stringify(canonical))
  })

  test.each([
    [PlainDate, '2023-02-29'],
    [PlainDate, '1900-02-29'],
    [PlainDate, '0000-01-01'],
    [PlainDate, '2024-04-31'],
    [PlainDate, '2024-1-1'],
    [PlainClockTime, '24:00:00'],
    [PlainClockTime, '23:59:60'],
    [PlainClockTime, '12:00'],
    [PlainDateTime, '2024-01-01 12:00:00'],
    [PlainDateTime, '2024-01-01T12:00:00Z'],
    [Duration, 'P1D'],
    [Duration, '5'],
  ])('%o refuses %s', (type, text) => {
    expect(() => new type(text)).toThrow(RangeError)
  })
})

test('durations and milliseconds', () => {
  for (const milliseconds of [0, 1, -1, 1500.25, -86_400_000]) {
    expect(Duration.fromMilliseconds(milliseconds).milliseconds).toBeCloseTo(milliseconds, 6)
  }
  expect(Duration.fromMilliseconds(-1.5).toString()).toBe('-PT0.001500S')
})
