import { describe, expect, test } from 'vitest'
import { actorId, FakeNode, settle } from './testing/fakes.ts'

const node = () => new FakeNode({ cpus: 4, resources: { gpu: 2, license: 1, memory: 1000 } })
const task = (resources: object) => ({ language: 'python', resources })

async function isGranted(lease: Promise<unknown>): Promise<boolean> {
  await settle()
  return Promise.race([lease.then(() => true), Promise.resolve().then(() => false)])
}

async function used(fake: FakeNode): Promise<Record<string, number>> {
  return (await fake.info())['resourcesUsed'] as Record<string, number>
}

describe('tasks', () => {
  test('wait until what they need is free, while others overtake them', async () => {
    const fake = node()
    const [holder] = (await fake.lease(task({ license: 1 }))) as [number, number]
    const waiting = fake.lease(task({ license: 0.5 }))
    expect(await isGranted(waiting)).toBe(false)
    await fake.lease(task({ memory: 1000 }))
    await fake.call('agent::release', [holder]).value
    await waiting
    expect(await used(fake)).toEqual({ cpu: 2, memory: 1000, gpu: 0, license: 0.5 })
  })

  test('get their GPUs with the lease', async () => {
    const fake = node()
    expect(await fake.lease(task({ gpu: 2 }))).toEqual([expect.any(Number), 0, 0, 1])
    const half = fake.lease(task({ gpu: 0.5 }))
    const whole = fake.lease(task({ gpu: 1 }))
    expect(await isGranted(half)).toBe(false)
    fake.crash(fake.endpoints.get(fake.python.started[0]!.spec.token)!)
    expect([await half, await whole]).toEqual([
      [expect.any(Number), 0, 0],
      [expect.any(Number), 0, 1],
    ])
    expect(await fake.lease(task({ gpu: 0.5 }))).toEqual([expect.any(Number), 0, 0])
  })

  test('that wait for their children lend their CPUs and nothing else', async () => {
    const fake = node()
    const everything = task({ cpu: 4, gpu: 1, license: 1, memory: 1000 })
    const [parent] = (await fake.lease(everything)) as [number, number]
    await fake.call('agent::blocked', [], parent).value
    expect(await used(fake)).toEqual({ cpu: 0, gpu: 1, license: 1, memory: 1000 })
    await fake.lease(task({ cpu: 4 }), parent)
  })

  test.each([
    [{ license: 2 }, 'the task needs 2 license, has 1 license; ask for less, or start'],
    [{ gpu: 3 }, 'the task needs 3 GPUs, has 2 GPUs; ask for less'],
    [{ memory: 1001 }, 'the task needs 1001 bytes of memory, has 1000 bytes of memory;'],
    [{ tpu: 0.5 }, 'the task needs 0.5 tpu, has 0 tpu; ask for less, or start the session with'],
  ])('that need %j, more than there is, are refused', async (resources, message) => {
    const refused = node().lease(task(resources))
    await expect(refused).rejects.toMatchObject({
      code: 'RESOURCE_LIMIT',
      message: expect.stringContaining(message) as string,
    })
  })

  test('say in node_info what there is and what is used', async () => {
    const fake = node()
    await fake.lease(task({ cpu: 0.5, gpu: 0.5 }))
    expect(await fake.info()).toMatchObject({
      cpus: 4,
      cpusUsed: 0.5,
      resources: { cpu: 4, gpu: 2, license: 1, memory: 1000 },
      resourcesUsed: { cpu: 0.5, gpu: 0.5, license: 0, memory: 0 },
    })
  })
})

describe('actors', () => {
  test('get their GPUs in their options, and keep as many after a restart', async () => {
    const fake = node()
    const options = { resources: { gpu: 1 }, maxRestarts: 1 }
    const [first] = (await fake.createActor({ options })) as [number, number]
    const [task] = (await fake.lease({ language: 'python', resources: { gpu: 1 } })) as number[]
    fake.crash(first)
    await fake.call('agent::actor_address', [actorId(1), first]).value
    expect(fake.constructions()).toEqual([
      { ...options, incarnation: 1, gpus: [0] },
      { ...options, incarnation: 2, gpus: [0] },
    ])
    expect(task).not.toBe(first)
    expect(await used(fake)).toMatchObject({ cpu: 1, gpu: 2 })
  })

  test('give their GPUs back only when their process has ended', async () => {
    const fake = node()
    const [endpoint] = (await fake.createActor({ options: { resources: { gpu: 2 } } })) as number[]
    fake.agent.left(endpoint!, 'crashed')
    const next = fake.lease(task({ gpu: 1 }))
    expect(await isGranted(next)).toBe(false)
    fake.python.started[0]!.end({ code: null, signal: 11 })
    expect(await next).toEqual([expect.any(Number), 0, 0])
  })

  test('give back what they had when they end', async () => {
    const fake = node()
    await fake.createActor({ options: { resources: { gpu: 0.25, license: 1 } } })
    await fake.call('agent::kill_actor', [actorId(1)]).value
    expect(await used(fake)).toEqual({ cpu: 0, gpu: 0, license: 0, memory: 0 })
  })

  test('that come as a map get one back', async () => {
    const fake = node()
    const options = new Map<string, unknown>([['resources', new Map([['gpu', 1]])]])
    await fake.createActor({ options })
    expect(fake.constructions()).toEqual([
      new Map<string, unknown>([...options, ['incarnation', 1], ['gpus', [0]]]),
    ])
  })
})
