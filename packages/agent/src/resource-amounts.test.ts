import { expect, test } from 'vitest'
import { describeAmount, fromUnits, toUnits } from './resource-amounts.ts'

test('amounts are whole numbers of units', () => {
  expect(toUnits('p', 'cpu', 2)).toBe(20_000)
  expect(toUnits('p', 'license', 0.0003)).toBe(3)
  expect(toUnits('p', 'gpu', 3n)).toBe(30_000)
  expect(toUnits('p', 'memory', 2 ** 50)).toBe(2 ** 50)
})

test('every multiple of 0.0001 is exact', () => {
  for (let units = 0; units <= 100_000; units++) {
    expect(toUnits('p', 'cpu', Number((units / 10_000).toFixed(4)))).toBe(units)
  }
})

test.each([
  ['cpu', -1, 'p: must be a number from 0'],
  ['cpu', Number.NaN, 'p: must be a number from 0'],
  ['cpu', Infinity, 'p: must be a number from 0'],
  ['cpu', '1', 'p: must be a number from 0'],
  ['cpu', true, 'p: must be a number from 0'],
  ['cpu', 1 / 3, 'p: must be a multiple of 0.0001'],
  ['cpu', 0.000_05, 'p: must be a multiple of 0.0001'],
  ['memory', 0.5, 'p: must be a whole number of bytes'],
  ['license', 1e12, 'p: must be at most 900719925474'],
  ['', 1, 'p: a resource needs a name'],
])('%s: %s is refused with its path', (name, value, message) => {
  expect(() => toUnits('p', name, value)).toThrow(message)
})

test('are shown with their unit', () => {
  expect(fromUnits('gpu', 5_000)).toBe(0.5)
  expect(describeAmount('cpu', 10_000)).toBe('1 CPU')
  expect(describeAmount('gpu', 5_000)).toBe('0.5 GPUs')
  expect(describeAmount('memory', 1024)).toBe('1024 bytes of memory')
  expect(describeAmount('license', 20_000)).toBe('2 license')
})
