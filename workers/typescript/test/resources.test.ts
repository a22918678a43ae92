import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type ActorHandle,
  context,
  getActor,
  init,
  InvalidArgumentError,
  pending,
  python,
  ResourceLimitError,
  type Resources,
} from '../src/index.ts'
import { gpusOfTask, inPairs, Needy } from './fixtures/needy.ts'
import { note, occupy } from './fixtures/unsteady.ts'
import { fixtures, withScratch } from './scratch.ts'
import { errorOf, testOptions, withSession, wrong } from './session.ts'

const inPairsOfPython = python.task<(path: string) => void>('needy:in_pairs')
type GpusApi = { gpus(): { first: number[]; now: number[] } }
const NeedyOfPython = python.actor<GpusApi>('needy:Needy')

/** How many ran at once at most, from a log of starts and ends. */
function mostAtOnce(log: string): number {
  let [now, most] = [0, 0]
  for (const mark of log) {
    now += mark === '+' ? 1 : -1
    most = Math.max(most, now)
  }
  return most
}

describe('resources', () => {
  withSession({
    cpus: 4,
    resources: { gpu: 2, license: 2, memory: 1_000 },
    sysPath: [fixtures],
    logToDriver: false,
  })
  const scratch = withScratch()

  it.each([
    ['TypeScript', inPairs],
    ['Python', inPairsOfPython],
  ])('limit how many tasks run at once (%s)', async (_, task) => {
    const path = scratch()
    // Tasks of one shape have at most as many workers as the machine has processors, so these are of five.
    const one = (index: number): PromiseLike<void> =>
      task.with({ resources: { license: 1, cpu: 0, memory: index % 5 } })(path)
    await Promise.all(Array.from({ length: 10 }, (_, index) => one(index)))
    const log = readFileSync(path, 'utf8')
    expect(log.length).toBe(20)
    expect(mostAtOnce(log)).toBe(2)
  })

  const tooMuch: [resources: Resources, message: string][] = [
    [{ license: 3 }, 'needs 3 license, has 2 license; ask for less'],
    [{ gpu: 3 }, 'needs 3 GPUs, has 2 GPUs; ask for less'],
    [{ memory: 1_001 }, 'needs 1001 bytes of memory, has 1000 bytes of memory; ask for less'],
    [{ cpu: 5 }, 'needs 5 CPUs, has 4 CPUs; ask for less'],
    [{ tpu: 0.5 }, 'needs 0.5 tpu, has 0 tpu; ask for less'],
  ]
  it.each(tooMuch)('that the node does not have are refused: %o', async (resources, message) => {
    const failures = [
      await errorOf(gpusOfTask.with({ resources })()),
      await errorOf(Needy.options({ resources }).create()),
      await errorOf(NeedyOfPython.options({ resources }).create()),
    ]
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(ResourceLimitError)
      expect(failure.message).toContain(message)
    }
  })

  it.each([
    ['TypeScript', Needy],
    ['Python', NeedyOfPython],
  ])('tell an actor which GPUs it has (%s)', async (_, Actor) => {
    const create = (gpu: number): Promise<ActorHandle<GpusApi>> =>
      Actor.options({ resources: { gpu } }).create()
    await using one = await create(1)
    await using two = await create(0.5)
    await using three = await create(0.5)
    await using none = await create(0)
    expect(await one.gpus()).toEqual({ first: [0], now: [0] })
    expect(await two.gpus()).toEqual({ first: [1], now: [1] })
    expect(await three.gpus()).toEqual({ first: [1], now: [1] })
    expect(await none.gpus()).toEqual({ first: [], now: [] })
  })

  it('are an actor’s until it ends', async () => {
    const all = Needy.options({ resources: { gpu: 2 }, name: 'all' })
    {
      await using first = await all.create()
      expect(await first.gpus()).toEqual({ first: [0, 1], now: [0, 1] })
      expect((await getActor<GpusApi>('all')).gpus).toBeDefined()
    }
    await using second = await all.create()
    expect((await second.gpus()).now).toEqual([0, 1])
  })

  it('tell neither tasks nor drivers of GPUs', async () => {
    expect(await gpusOfTask.with({ resources: { gpu: 1 } })()).toEqual([])
    expect(context().gpus).toEqual([])
  })

  it('that are the same make tasks wait at the same place', async () => {
    const gate = scratch()
    const variables = { A: '1', B: '2' }
    const busy = occupy.options({
      resources: { cpu: 1, license: 1 },
      environment: { variables, cwd: fixtures },
    })
    const first = busy(gate)
    const others: Parameters<typeof note.options>[0][] = [
      { resources: { license: 1 } },
      { resources: { license: 1, cpu: 1, gpu: undefined } },
    ]
    const environment = { cwd: fixtures, variables: { B: '2', A: '1' } }
    for (const options of others) {
      expect(pending(note.options({ ...options, environment })).calls).toBe(1)
      expect(pending(note.options({ ...options, environment, priority: 1 })).calls).toBe(1)
    }
    expect(pending(note.options({ resources: { license: 0.5 }, environment })).calls).toBe(0)
    expect(pending(note).calls).toBe(0)
    writeFileSync(gate, '')
    await first
  })
})

describe('amounts', () => {
  const refused: [path: string, resources: unknown, reason: string][] = [
    ['resources', ['gpu'], 'must be an object'],
    ['resources.license', { license: 0.00005 }, 'must be a multiple of 0.0001'],
    ['resources.cpu', { cpu: 0.00005 }, 'must be a multiple of 0.0001'],
    ['resources.license', { license: -1 }, 'must be a number from 0'],
    ['resources.license', { license: '1' }, 'must be a number from 0'],
    ['resources.license', { license: Number.NaN }, 'must be a number from 0'],
    ['resources.license', { license: 1e12 }, 'must be at most 900,719,925,474'],
    ['resources.memory', { memory: 0.5 }, 'must be a whole number of bytes'],
    ['resources.', { '': 1 }, 'a resource needs a name'],
  ]
  const ofCalls: typeof refused = [
    ...refused,
    ['resources.gpu', { gpu: 1.5 }, 'must be a whole number, or a fraction below 1'],
  ]
  it.each(ofCalls)('that are wrong are refused where they are given: %s %o', (path, given, why) => {
    const options = wrong({ resources: given })
    for (const give of [
      () => gpusOfTask.options(options),
      () => gpusOfTask.with(options),
      () => Needy.options(options),
    ]) {
      expect(give).toThrow(InvalidArgumentError)
      expect(give).toThrow(`options.${path}: ${why}`)
    }
  })

  const ofNodes: typeof refused = [
    ...refused.filter(([path]) => path !== 'resources.cpu'),
    ['resources.cpu', { cpu: 2 }, 'CPUs are given by the option cpus'],
    ['resources.gpu', { gpu: 0.5 }, 'must be a whole number'],
  ]
  it.each(ofNodes)('of a node that are wrong are refused: %s %o', async (path, given, why) => {
    const error = await errorOf(init({ ...testOptions, resources: wrong(given) }))
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error.message).toContain(`options.${path}: ${why}`)
  })

  it.each([0, 0.0001, 0.3, 1.1, 7, 12_345.6789])('may be %d', (license) => {
    expect(() => gpusOfTask.options({ resources: { license } })).not.toThrow()
  })
})
