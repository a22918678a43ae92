import { describe, expect, test } from 'vitest'
import type { Amounts } from './resource-amounts.ts'
import { ResourceBudget } from './resource-budget.ts'
import { amounts } from './testing/amounts.ts'

/** Takes if there is enough. */
function take(budget: ResourceBudget, holder: string, request: Amounts): number[] | null {
  if (budget.free.lacking(request).length > 0) return null
  const gpus = budget.free.copy().take(request)
  budget.take(holder, request, gpus)
  return gpus
}

describe('ResourceBudget', () => {
  test('counts what running workers take', () => {
    const budget = new ResourceBudget(amounts({ cpu: 4, license: 1 }))
    take(budget, 'a', amounts({ cpu: 1, license: 1 }))
    take(budget, 'b', amounts({ cpu: 0.5 }))
    expect(budget.describeUsed()).toEqual({ cpu: 1.5, license: 1 })
    budget.give('a')
    budget.give('a')
    expect(budget.describeUsed()).toEqual({ cpu: 0.5, license: 0 })
    expect(budget.describeTotal()).toEqual({ cpu: 4, license: 1 })
  })

  test('a blocked worker lends its CPU and may exceed the capacity when it goes on', () => {
    const budget = new ResourceBudget(amounts({ cpu: 1 }))
    budget.take('parent', amounts({ cpu: 1 }), [])
    budget.block('parent')
    expect(take(budget, 'child', amounts({ cpu: 1 }))).toEqual([])
    budget.unblock('parent')
    expect(budget.describeUsed()).toEqual({ cpu: 2 })
    expect(budget.free.lacking(amounts({ cpu: 0.1 }))).toEqual(['cpu'])
    budget.give('child')
    expect(budget.describeUsed()).toEqual({ cpu: 1 })
  })

  test('a blocked worker keeps everything but its CPU', () => {
    const budget = new ResourceBudget(amounts({ cpu: 1, gpu: 1, memory: 10, license: 1 }))
    take(budget, 'parent', amounts({ cpu: 1, gpu: 1, memory: 10, license: 1 }))
    budget.block('parent')
    expect(budget.describeUsed()).toEqual({ cpu: 0, gpu: 1, memory: 10, license: 1 })
    expect(budget.gpusOf('parent')).toEqual([0])
    budget.give('parent')
    expect(budget.describeUsed()).toEqual({ cpu: 0, gpu: 0, memory: 0, license: 0 })
  })

  test('blocked calls nest', () => {
    const budget = new ResourceBudget(amounts({ cpu: 1 }))
    budget.take('a', amounts({ cpu: 1 }), [])
    budget.block('a')
    budget.block('a')
    budget.unblock('a')
    expect(budget.describeUsed()).toEqual({ cpu: 0 })
    budget.unblock('a')
    budget.unblock('a')
    expect(budget.describeUsed()).toEqual({ cpu: 1 })
  })

  test('a blocked worker that ends gives nothing twice', () => {
    const budget = new ResourceBudget(amounts({ cpu: 2 }))
    budget.take('a', amounts({ cpu: 1 }), [])
    budget.take('b', amounts({ cpu: 1 }), [])
    budget.block('a')
    budget.give('a')
    expect(budget.describeUsed()).toEqual({ cpu: 1 })
    budget.block('unknown')
    budget.unblock('unknown')
    expect(budget.describeUsed()).toEqual({ cpu: 1 })
  })

  test('refuses what is asked for beyond the total', () => {
    const budget = new ResourceBudget(amounts({ cpu: 2, gpu: 1 }))
    const check = (request: Record<string, number>) => () =>
      budget.checkTotal('the task', amounts(request))
    expect(check({ cpu: 2, gpu: 0.5 })).not.toThrow()
    expect(check({ cpu: 1, gpu: 2 })).toThrow('the task needs 2 GPUs, has 1 GPU; ask for less')
    expect(check({ license: 0.0001 })).toThrow('the task needs 0.0001 license, has 0 license')
  })
})

test('a million random acquisitions and releases leave exactly what there was', () => {
  const total = amounts({ cpu: 16, gpu: 4, memory: 2 ** 40, license: 0.7 })
  const budget = new ResourceBudget(total)
  const held: (string | undefined)[] = new Array<undefined>(64).fill(undefined)
  const random = generator(20_240_817)
  let operations = 0
  let taken = 0
  while (operations < 1_000_000) {
    const at = random(held.length)
    const holder = held[at]
    if (holder !== undefined) {
      const action = random(4)
      if (action === 0) budget.block(holder)
      else if (action === 1) budget.unblock(holder)
      else budget.give(holder)
      if (action > 1) held[at] = undefined
      operations += 1
      continue
    }
    const request = amounts({
      cpu: random(30_000) / 10_000,
      gpu: random(2) === 0 ? random(3) : random(10_000) / 10_000,
      memory: random(2 ** 30),
      license: random(3_000) / 10_000,
    })
    if (!take(budget, `h${at}`, request)) continue
    held[at] = `h${at}`
    taken += 1
    operations += 1
  }
  expect(taken).toBeGreaterThan(100_000)
  for (const holder of held) if (holder !== undefined) budget.give(holder)
  for (const [name, units] of total) expect(budget.free.units(name)).toBe(units)
  expect(budget.free.take(amounts({ gpu: 4 }))).toEqual([0, 1, 2, 3])
})

/** Whole numbers below a limit, the same ones in each run. */
function generator(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
