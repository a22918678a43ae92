import { describe, expect, test } from 'vitest'
import { type Demand, DemandQueue } from './demand-queue.ts'

const demand = (id: number, cpu = 1, pool = 'python'): Demand => ({ id, cpu, pool })

function planned(queue: DemandQueue<Demand>, freeCpus: number, idle: Record<string, number>) {
  const plan = queue.plan(freeCpus, (pool) => idle[pool] ?? 0)
  return { grants: plan.grants.map(({ id }) => id), missing: Object.fromEntries(plan.missing) }
}

describe('DemandQueue', () => {
  test('serves in order as far as CPUs and idle workers reach', () => {
    const queue = new DemandQueue<Demand>()
    for (const id of [1, 2, 3, 4]) queue.add(demand(id))
    expect(planned(queue, 3, { python: 2 })).toEqual({ grants: [1, 2], missing: { python: 1 } })
    expect(queue.size).toBe(2)
    expect(planned(queue, 1, { python: 1 })).toEqual({ grants: [3], missing: {} })
  })

  test('small demands do not overtake a large one', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 2))
    queue.add(demand(2, 0.5))
    expect(planned(queue, 1, { python: 5 })).toEqual({ grants: [], missing: {} })
    expect(planned(queue, 2, { python: 5 })).toEqual({ grants: [1], missing: {} })
    expect(planned(queue, 0.5, { python: 5 })).toEqual({ grants: [2], missing: {} })
  })

  test('who waits for a worker to start keeps its CPU', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 1, 'slow'))
    queue.add(demand(2, 1, 'python'))
    const idle = { python: 1 }
    expect(planned(queue, 1, idle)).toEqual({ grants: [], missing: { slow: 1 } })
    expect(planned(queue, 2, idle)).toEqual({ grants: [2], missing: { slow: 1 } })
  })

  test('demands without CPUs wait for nobody', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 2))
    queue.add(demand(2, 0))
    expect(planned(queue, 0, { python: 1 })).toEqual({ grants: [2], missing: {} })
  })

  test('thirds of a CPU add up', () => {
    const queue = new DemandQueue<Demand>()
    for (const id of [1, 2, 3]) queue.add(demand(id, 1 / 3))
    expect(planned(queue, 1, { python: 3 }).grants).toEqual([1, 2, 3])
  })

  test('a withdrawn demand is not served', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1))
    queue.add(demand(2))
    expect(queue.remove(1)?.id).toBe(1)
    expect(queue.remove(1)).toBeUndefined()
    expect(planned(queue, 2, { python: 2 }).grants).toEqual([2])
  })

  test('finds the longest waiting demand of a pool', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 1, 'other'))
    queue.add(demand(2, 0))
    queue.add(demand(3, 1))
    expect(queue.first('python')?.id).toBe(2)
    expect(queue.first('none')).toBeUndefined()
  })
})
