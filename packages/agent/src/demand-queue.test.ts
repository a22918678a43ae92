import { describe, expect, test } from 'vitest'
import { type Demand, DemandQueue } from './demand-queue.ts'
import { FreeResources } from './free-resources.ts'
import { amounts } from './testing/amounts.ts'

const demand = (id: number, cpu = 1, pool = 'python'): Demand => needing(id, { cpu }, { pool })

function needing(id: number, needs: Record<string, number>, more: Partial<Demand> = {}): Demand {
  return { id, pool: 'python', priority: 0, resources: amounts(needs), ...more }
}

function planned(
  queue: DemandQueue<Demand>,
  free: Record<string, number>,
  idle: Record<string, number>,
) {
  const plan = queue.plan(FreeResources.of(amounts(free)), (pool) => idle[pool] ?? 0)
  const grants = plan.grants.map((grant) => grant.demand.id)
  return { grants, missing: Object.fromEntries(plan.missing) }
}

describe('DemandQueue', () => {
  test('serves in order as far as CPUs and idle workers reach', () => {
    const queue = new DemandQueue<Demand>()
    for (const id of [1, 2, 3, 4]) queue.add(demand(id))
    const first = planned(queue, { cpu: 3 }, { python: 2 })
    expect(first).toEqual({ grants: [1, 2], missing: { python: 1 } })
    expect(queue.size).toBe(2)
    expect(planned(queue, { cpu: 1 }, { python: 1 })).toEqual({ grants: [3], missing: {} })
  })

  test('small demands do not overtake a large one', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 2))
    queue.add(demand(2, 0.5))
    expect(planned(queue, { cpu: 1 }, { python: 5 })).toEqual({ grants: [], missing: {} })
    expect(planned(queue, { cpu: 2 }, { python: 5 })).toEqual({ grants: [1], missing: {} })
    expect(planned(queue, { cpu: 0.5 }, { python: 5 })).toEqual({ grants: [2], missing: {} })
  })

  test('who waits for a worker to start keeps its CPU', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 1, 'slow'))
    queue.add(demand(2, 1, 'python'))
    const idle = { python: 1 }
    expect(planned(queue, { cpu: 1 }, idle)).toEqual({ grants: [], missing: { slow: 1 } })
    expect(planned(queue, { cpu: 2 }, idle)).toEqual({ grants: [2], missing: { slow: 1 } })
  })

  test('demands without resources wait for nobody', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 2))
    queue.add(demand(2, 0))
    expect(planned(queue, {}, { python: 1 })).toEqual({ grants: [2], missing: {} })
  })

  test('who waits for one resource does not hold up those who need another', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(needing(1, { cpu: 1, gpu: 1 }))
    queue.add(needing(2, { gpu: 0.5 }))
    queue.add(needing(3, { cpu: 1 }))
    queue.add(needing(4, { cpu: 1, license: 1 }))
    const free = { cpu: 1, gpu: 0, license: 1 }
    expect(planned(queue, free, { python: 4 }).grants).toEqual([3])
    expect(planned(queue, { cpu: 2, gpu: 1, license: 1 }, { python: 4 }).grants).toEqual([1, 4])
    expect(planned(queue, { gpu: 1 }, { python: 4 }).grants).toEqual([2])
  })

  test('grants name the GPUs, past those kept for who waits for its worker', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(needing(1, { gpu: 1 }, { pool: 'slow' }))
    queue.add(needing(2, { gpu: 0.5 }))
    queue.add(needing(3, { gpu: 0.5 }))
    queue.add(needing(4, { gpu: 1 }))
    const { grants } = queue.plan(FreeResources.of(amounts({ gpu: 3 })), (pool) =>
      pool === 'python' ? 9 : 0,
    )
    expect(grants.map(({ demand: { id }, gpus }) => [id, gpus])).toEqual([
      [2, [1]],
      [3, [1]],
      [4, [2]],
    ])
  })

  test('higher priorities come first, equal ones in their order', () => {
    const queue = new DemandQueue<Demand>()
    const priorities = [0, -1, 5, 0, 5]
    priorities.forEach((priority, i) => queue.add(needing(i + 1, { cpu: 1 }, { priority })))
    expect(planned(queue, { cpu: 5 }, { python: 5 }).grants).toEqual([3, 5, 1, 4, 2])
  })

  test('a demand of a high priority is not overtaken by small ones of a low one', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(needing(1, { cpu: 1 }))
    queue.add(needing(2, { cpu: 2 }, { priority: 1 }))
    expect(planned(queue, { cpu: 1 }, { python: 2 }).grants).toEqual([])
    expect(planned(queue, { cpu: 3 }, { python: 2 }).grants).toEqual([2, 1])
  })

  test('a withdrawn demand is not served', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1))
    queue.add(demand(2))
    expect(queue.remove(1)?.id).toBe(1)
    expect(queue.remove(1)).toBeUndefined()
    expect(planned(queue, { cpu: 2 }, { python: 2 }).grants).toEqual([2])
  })

  test('finds the demand of a pool that is served next', () => {
    const queue = new DemandQueue<Demand>()
    queue.add(demand(1, 1, 'other'))
    queue.add(demand(2, 0))
    queue.add(demand(3, 1))
    expect(queue.first('python')?.id).toBe(2)
    expect(queue.first('none')).toBeUndefined()
  })
})
