import { describe, expect, test, vi } from 'vitest'
import { makeError } from './errors.ts'
import { actorId, FakeNode, settle } from './testing/fakes.ts'

type Address = [endpoint: number, instance: number]

const options = { maxRestarts: 3 }

function address(node: FakeNode, goneAt?: number, number = 1): Promise<unknown> {
  const id = actorId(number)
  return node.call('agent::actor_address', goneAt === undefined ? [id] : [id, goneAt]).value
}

/** Ends the actor's process and waits for the next incarnation. */
async function next(node: FakeNode, endpoint: number, number = 1): Promise<Address> {
  node.crash(endpoint)
  return (await address(node, endpoint, number)) as Address
}

/** Arguments that tell when they are given up. */
function disposable() {
  const args = { isGivenUp: false, [Symbol.dispose]: () => void (args.isGivenUp = true) }
  return args
}

/** From the second construction on, the worker answers so. */
function failLater(node: FakeNode, error: Error): void {
  let constructions = 0
  node.endpoint.answer = ({ name }) => {
    const fails = name === 'worker::create_actor' && constructions++ > 0
    return fails ? Promise.reject(error) : Promise.resolve(null)
  }
}

describe('an actor with restarts left', () => {
  test('comes back on another worker, with its name and the same construction', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor({ name: 'hits', options })) as Address
    const [second, instance] = await next(node, first)
    expect(second).not.toBe(first)
    expect(instance).toBe(1)
    const sent = node.endpoint.sent.filter(({ name }) => name === 'worker::create_actor')
    expect(sent.map(({ endpoint }) => endpoint)).toEqual([first, second])
    const construction = [1, Buffer.from(actorId(1)), 'm:Scorer', 'ref']
    expect(sent.map(({ args }) => args)).toEqual([
      [...construction, { maxRestarts: 3, incarnation: 1 }],
      [...construction, { maxRestarts: 3, incarnation: 2 }],
    ])
    const found = await node.call('agent::get_actor', ['hits']).value
    expect(found).toMatchObject({ class: 'm:Scorer' })
    await expect
      .poll(() => node.actor())
      .toMatchObject({
        state: 'alive',
        incarnation: 2,
        restarts: 1,
        maxRestarts: 3,
        deaths: ['process 1000000 exited with status 4'],
      })
  })

  test('is restarting, and found by name, while it has no worker', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor({ name: 'hits', options })) as Address
    node.python.onStart = () => {}
    node.crash(first)
    expect(await node.actor()).toMatchObject({ state: 'restarting', address: null })
    await node.call('agent::get_actor', ['hits']).value
    const same = node.createActor({
      id: actorId(2),
      name: 'hits',
      options: { getIfExists: true },
    })
    await settle()
    node.attach(node.python.started[1]!)
    expect(await same).toEqual(await address(node))
  })

  test('dies for good when none is left, and says how often it was restarted', async () => {
    const node = new FakeNode()
    let [endpoint] = (await node.createActor({ name: 'hits', options })) as Address
    for (let i = 0; i < 3; i++) [endpoint] = await next(node, endpoint)
    node.crash(endpoint, { code: null, signal: 9 })
    await expect(address(node)).rejects.toMatchObject({
      code: 'ACTOR_DIED',
      message:
        'actor Scorer "hits" died: process 1000003 was killed by SIGKILL; restarted 3 times, no restart left',
    })
    await expect(node.call('agent::get_actor', ['hits']).value).rejects.toMatchObject({
      code: 'ACTOR_NOT_FOUND',
    })
    const { deaths } = (await node.actor()) as { deaths: string[] }
    expect(deaths).toHaveLength(4)
    expect(node.constructions()).toHaveLength(4)
  })

  test('ends when it crashes in a loop, though it may restart without limit', async () => {
    const node = new FakeNode()
    const created = node.createActor({ options: { maxRestarts: -1 } })
    let [endpoint] = (await created) as Address
    for (let i = 0; i < 4; i++) [endpoint] = await next(node, endpoint)
    node.crash(endpoint)
    await expect(address(node)).rejects.toMatchObject({
      code: 'ACTOR_DIED',
      message: expect.stringMatching(
        /^actor Scorer died: process 1000004 exited with status 4; crash loop: died 5 times/,
      ) as string,
    })
  })

  test('dies with the error of its constructor if that fails', async () => {
    const node = new FakeNode()
    const cause = new Error('the file is gone')
    failLater(node, cause)
    const [first] = (await node.createActor({ options })) as Address
    node.crash(first)
    const failed = { code: 'ACTOR_CREATION_FAILED', cause }
    await expect(address(node, first)).rejects.toMatchObject(failed)
    expect(node.python.started[1]!.signals).toContain('SIGKILL')
    expect(node.python.started).toHaveLength(2)
  })

  test('whose process ends while it is constructed again uses the next restart', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor({ options })) as Address
    node.endpoint.answer = () => new Promise(() => {})
    node.crash(first)
    await settle()
    expect(await node.actor()).toMatchObject({ state: 'starting', incarnation: 2 })
    node.endpoint.answer = () => Promise.resolve(null)
    node.crash(node.endpoints.get(node.python.started[1]!.spec.token)!)
    await address(node)
    expect(await node.actor()).toMatchObject({ state: 'alive', incarnation: 3, restarts: 2 })
  })

  test('takes a worker that does not start as a death', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor({ options: { maxRestarts: 1 } })) as Address
    node.python.onStart = (process) => process.end({ code: 3, signal: null })
    node.crash(first)
    await expect(address(node)).rejects.toMatchObject({
      code: 'ACTOR_DIED',
      message:
        'actor Scorer died: it could not be restarted; restarted once, no restart left: a python worker did not start: process 1000001 exited with status 3',
    })
  })

  test('is not restarted when it is killed, nor while it waits for its restart', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor({ options })) as Address
    await node.call('agent::kill_actor', [actorId(1)]).value
    node.agent.left(first, 'killed')
    await expect(address(node)).rejects.toMatchObject({ code: 'ACTOR_DIED' })
    const [second] = (await node.createActor({ id: actorId(2), options })) as Address
    const [third] = await next(node, second, 2)
    node.crash(third)
    expect(await node.actorState(2)).toBe('restarting')
    await node.call('agent::kill_actor', [actorId(2)]).value
    await expect(address(node, third, 2)).rejects.toMatchObject({
      message: 'actor Scorer died: Scorer was killed by its user',
    })
    expect(node.constructions()).toHaveLength(3)
  })

  test('ends with its driver, also while it is restarting', async () => {
    const node = new FakeNode()
    node.join(2, 8, 'driver', 'other')
    const [first] = (await node.createActor({ options }, 2)) as Address
    node.python.onStart = () => {}
    node.crash(first)
    node.agent.left(2, 'left')
    await expect(address(node)).rejects.toMatchObject({ code: 'ACTOR_DIED' })
    node.attach(node.python.started[1]!)
    expect(node.constructions()).toHaveLength(1)
  })

  test('does not come back if its first construction fails', async () => {
    const node = new FakeNode()
    node.endpoint.answer = () => new Promise(() => {})
    const created = node.createActor({ options })
    await settle()
    node.crash(node.endpoints.get(node.python.started[0]!.spec.token)!)
    await expect(created).rejects.toMatchObject({ code: 'ACTOR_CREATION_FAILED' })
    expect(await node.actor()).toMatchObject({ state: 'dead', restarts: 0 })
  })

  test('that shares a process comes back together with the others', async () => {
    const node = new FakeNode()
    const share = (id: number, maxRestarts: number) =>
      node.createActor({ id: actorId(id), options: { share: true, maxRestarts } })
    const [first] = (await share(1, 1)) as Address
    await share(2, 1)
    await share(3, 0)
    node.crash(first)
    const again = (await Promise.all([address(node), address(node, first, 2)])) as Address[]
    expect(new Set(again.map(([endpoint]) => endpoint)).size).toBe(1)
    expect(again.map(([, instance]) => instance)).toEqual([1, 2])
    await expect(address(node, first, 3)).rejects.toMatchObject({ code: 'ACTOR_DIED' })
  })

  test('a late answer of its former worker is none of the new one', async () => {
    const node = new FakeNode()
    const answers: (() => void)[] = []
    const [first] = (await node.createActor({ options })) as Address
    node.endpoint.answer = ({ name }) =>
      new Promise((resolve) => {
        if (name === 'worker::create_actor') answers.push(() => resolve(null))
      })
    node.crash(first)
    await settle()
    const second = node.endpoints.get(node.python.started[1]!.spec.token)!
    node.crash(second)
    await expect.poll(() => answers.length).toBe(2)
    answers[0]!()
    await settle()
    expect(await node.actorState(1)).toBe('starting')
    answers[1]!()
    expect(await address(node)).not.toEqual([second, 1])
  })
})

describe('the arguments of an actor', () => {
  test('are kept as long as it may be restarted', async () => {
    const node = new FakeNode()
    const args = disposable()
    const created = node.createActor({ args, options: { maxRestarts: 1 } })
    const [first] = (await created) as Address
    expect(args.isGivenUp).toBe(false)
    await next(node, first)
    expect(args.isGivenUp).toBe(true)
  })

  test('are given up when it is killed', async () => {
    const node = new FakeNode()
    const args = disposable()
    await node.createActor({ args, options: { maxRestarts: -1 } })
    expect(args.isGivenUp).toBe(false)
    await node.call('agent::kill_actor', [actorId(1)]).value
    expect(args.isGivenUp).toBe(true)
  })

  test('are given up at once if an actor of that name exists', async () => {
    const node = new FakeNode()
    await node.createActor({ name: 'hits', options })
    const args = disposable()
    const wish = { id: actorId(2), name: 'hits', args, options: { getIfExists: true } }
    await node.createActor(wish)
    expect(args.isGivenUp).toBe(true)
  })

  test('that are lost with their owner end the actor and its worker', async () => {
    const node = new FakeNode()
    const lost = makeError('OWNER_DIED', { ref: 'ref', reason: 'killed' })
    failLater(node, lost)
    const [first] = (await node.createActor({ options })) as Address
    node.crash(first)
    await expect(address(node, first)).rejects.toMatchObject({
      code: 'ACTOR_CREATION_FAILED',
      cause: lost,
    })
    expect(node.python.started[1]!.signals).toContain('SIGKILL')
  })
})

describe('the address of an actor', () => {
  test('is not the one at which the caller found it dead', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor({ options })) as Address
    let answer: unknown = null
    const asked = address(node, first).then((value) => (answer = value))
    await settle()
    expect(answer).toBeNull()
    expect(await address(node)).toEqual([first, 1])
    node.crash(first)
    expect(await asked).not.toEqual([first, 1])
    expect(await address(node, first)).toEqual(answer)
  })

  test('is refused with the final error if there is none any more', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor()) as Address
    const asked = address(node, first)
    node.crash(first)
    const message = 'actor Scorer died: process 1000000 exited with status 4'
    await expect(asked).rejects.toMatchObject({ code: 'ACTOR_DIED', message })
  })

  test('is refused in the end to who alone cannot reach it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const node = new FakeNode()
    const [first] = (await node.createActor({ options })) as Address
    const asked = address(node, first)
    vi.advanceTimersByTime(10_000)
    vi.useRealTimers()
    await expect(asked).rejects.toMatchObject({
      code: 'ACTOR_DIED',
      message: 'actor Scorer died: its process runs, but endpoint 1 cannot reach it',
    })
    expect(await address(node)).toEqual([first, 1])
  })

  test('may be waited for no longer', async () => {
    const node = new FakeNode()
    const [first] = (await node.createActor({ options })) as Address
    const asked = node.call('agent::actor_address', [actorId(1), first])
    asked.call.onCancel!()
    await expect(asked.value).rejects.toMatchObject({ code: 'CANCELLED' })
    await next(node, first)
  })
})

test.each([-2, 0.5, '1', true, 2 ** 60])('maxRestarts %s is refused', async (maxRestarts) => {
  await expect(new FakeNode().createActor({ options: { maxRestarts } })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'actor.options.maxRestarts: must be a whole number from 0, or -1 for no limit',
  })
})
