import { expect, test } from 'vitest'
import { GpuShares } from './gpu-shares.ts'

/** Takes what it chooses. */
function taken(gpus: GpuShares, amount: number): number[] | null {
  const units = amount * 10_000
  const indices = gpus.choose(units)
  if (indices) gpus.take(indices, units)
  return indices
}

test('whole GPUs are exclusive', () => {
  const gpus = GpuShares.ofCount(3)
  expect(taken(gpus, 2)).toEqual([0, 1])
  expect(taken(gpus, 2)).toBeNull()
  expect(taken(gpus, 1)).toEqual([2])
  gpus.give([0, 1], 20_000)
  expect(taken(gpus, 1)).toEqual([0])
})

test('fractions share one GPU as long as they fit', () => {
  const gpus = GpuShares.ofCount(2)
  expect(taken(gpus, 0.5)).toEqual([0])
  expect(taken(gpus, 0.3)).toEqual([0])
  expect(taken(gpus, 0.3)).toEqual([1])
  expect(taken(gpus, 0.2)).toEqual([0])
  expect(gpus.freeUnits).toBe(7_000)
})

test('a GPU in parts is not a whole one, however much of all of them is free', () => {
  const gpus = GpuShares.ofCount(2)
  taken(gpus, 0.6)
  taken(gpus, 0.6)
  expect(gpus.freeUnits).toBe(8_000)
  expect(taken(gpus, 0.8)).toBeNull()
  expect(taken(gpus, 1)).toBeNull()
  gpus.give([1], 6_000)
  expect(taken(gpus, 1)).toEqual([1])
})

test('a copy is independent', () => {
  const gpus = GpuShares.ofCount(1)
  taken(gpus.copy(), 1)
  expect(gpus.freeUnits).toBe(10_000)
})
