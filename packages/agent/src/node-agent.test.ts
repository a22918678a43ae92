import { describe, expect, test } from 'vitest'
import { actorId, FakeNode, settle } from './testing/fakes.ts'

const python = { language: 'python' }
const typescript = { language: 'typescript' }

describe('leases', () => {
  test('start a worker, are queued beyond the CPUs, and reuse a released worker', async () => {
    const node = new FakeNode()
    const first = await node.lease()
    const second = await node.lease()
    expect(node.python.started).toHaveLength(2)
    let third: unknown = null
    void node.lease().then((address) => (third = address))
    await settle()
    expect(third).toBeNull()
    await node.call('agent::release', [(first as number[])[0]]).value
    await settle()
    expect(third).toEqual(first)
    expect(second).not.toEqual(first)
    expect(node.python.started).toHaveLength(2)
  })

  test('of TypeScript share one process with a thread per CPU', async () => {
    const node = new FakeNode()
    const first = await node.lease(typescript)
    const second = await node.lease(typescript)
    expect(first).not.toEqual(second)
    expect(node.typescript.started).toHaveLength(1)
    expect(node.typescript.started[0]!.spec).toMatchObject({ kind: 'threads', threads: 2 })
  })

  test('a blocked task lends its CPU', async () => {
    const node = new FakeNode({ cpus: 1 })
    const [parent] = (await node.lease()) as [number, number]
    const child = node.lease(python, parent)
    await settle()
    expect(node.python.started).toHaveLength(1)
    await node.call('agent::blocked', [], parent).value
    await child
    expect(node.python.started).toHaveLength(2)
    expect((await node.info())['cpusUsed']).toBe(1)
  })

  test('a cancelled wish is not granted', async () => {
    const node = new FakeNode({ cpus: 1 })
    const [worker] = (await node.lease()) as [number, number]
    const waiting = node.call('agent::lease', [python])
    const next = node.lease()
    waiting.call.onCancel!()
    await expect(waiting.value).rejects.toMatchObject({ code: 'CANCELLED' })
    await node.call('agent::release', [worker]).value
    expect(await next).toEqual([worker, 0])
  })

  test('of a holder that died end with their workers, and nobody else gets those', async () => {
    const node = new FakeNode()
    const [holder] = (await node.lease()) as [number, number]
    const [worker] = (await node.lease(python, holder)) as [number, number]
    node.agent.left(holder, 'killed')
    await settle()
    expect(node.python.started[1]!.signals).toContain('SIGKILL')
    const [fresh] = (await node.lease()) as [number, number]
    expect([holder, worker]).not.toContain(fresh)
  })

  test('of threads that died end by stopping the thread, not the process', async () => {
    const node = new FakeNode()
    const [holder] = (await node.lease()) as [number, number]
    await node.lease(typescript, holder)
    node.agent.left(holder, 'killed')
    const { spec, signals } = node.typescript.started[0]!
    expect(signals).toEqual([])
    const control = node.endpoints.get(spec.token)
    const stops = node.endpoint.sent.filter(({ name }) => name === 'worker::stop_thread')
    expect(stops).toHaveLength(1)
    expect(stops[0]!.endpoint).toBe(control)
  })

  test('cannot be released by somebody else', async () => {
    const node = new FakeNode()
    const [worker] = (await node.lease()) as [number, number]
    node.join(2, 8, 'driver', 'other')
    const release = node.call('agent::release', [worker], 2).value
    await expect(release).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('for more CPUs than there are, or an unknown language, are refused', async () => {
    const node = new FakeNode()
    await expect(node.lease({ language: 'python', cpu: 3 })).rejects.toMatchObject({
      code: 'RESOURCE_LIMIT',
      message: 'the task needs 3 CPUs, has 2 CPUs; ask for less, or start the session with more',
    })
    const memory = { language: 'python', resources: { memory: 2 ** 50 } }
    await expect(node.lease(memory)).rejects.toMatchObject({ code: 'RESOURCE_LIMIT' })
    await expect(node.lease({ language: 'cobol' })).rejects.toThrow(
      'language: no worker for cobol; there is python, typescript',
    )
    await expect(node.lease({})).rejects.toThrow('shape.language: must be text')
  })

  test('of a higher priority are granted first', async () => {
    const node = new FakeNode({ cpus: 1 })
    const [worker] = (await node.lease()) as [number, number]
    const order: number[] = []
    const wishes = [0, 7, -3, 7].map((priority, i) =>
      node.lease({ ...python, priority }).then(() => order.push(i)),
    )
    for (let i = 0; i < wishes.length; i++) {
      await node.call('agent::release', [worker]).value
      await settle()
    }
    expect(order).toEqual([1, 3, 0, 2])
  })

  test('with a wrong priority or amount are refused with its path', async () => {
    const node = new FakeNode()
    for (const priority of [0.5, 2 ** 31, '1']) {
      await expect(node.lease({ ...python, priority })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: 'shape.priority: must be a whole number of 32 bits',
      })
    }
    await expect(node.lease({ ...python, cpu: -1 })).rejects.toThrow('shape.cpu: must be a number')
    const wish = { options: { resources: { license: 1 / 3 } } }
    await expect(node.createActor(wish)).rejects.toThrow(
      'actor.options.resources.license: must be a multiple of 0.0001',
    )
  })

  test('fail with the worker that does not start; the next one tries again', async () => {
    const node = new FakeNode()
    node.python.onStart = (process) => process.end({ code: 3, signal: null })
    await expect(node.lease()).rejects.toMatchObject({
      code: 'WORKER_START_FAILED',
      message: 'a python worker did not start: process 1000000 exited with status 3',
    })
    node.python.onStart = (process) => queueMicrotask(() => node.attach(process))
    await expect(node.lease()).resolves.toEqual([expect.any(Number), 0])
  })

  test('workers of different environments are not mixed', async () => {
    const node = new FakeNode()
    const [first] = (await node.lease()) as [number, number]
    await node.call('agent::release', [first]).value
    const environment = { variables: { MODE: 'test' } }
    const [second] = (await node.lease({ language: 'python', environment })) as [number, number]
    expect(second).not.toBe(first)
    expect(node.python.started[1]!.spec.environment.variables).toEqual({ MODE: 'test' })
    const [third] = (await node.lease({ language: 'python', environment: {} })) as [number, number]
    expect(third).toBe(first)
  })
})

describe('actors', () => {
  test('are constructed on a process of their own', async () => {
    const node = new FakeNode()
    const address = await node.createActor({ options: { warm: true } })
    const [endpoint] = address as [number, number]
    const sent = node.endpoint.sent.find(({ name }) => name === 'worker::create_actor')!
    expect(sent.endpoint).toBe(endpoint)
    const options = { warm: true, incarnation: 1 }
    expect(sent.args).toEqual([1, Buffer.from(actorId(1)), 'm:Scorer', 'ref', options])
    const other = await node.createActor({ id: actorId(2) })
    expect(other).not.toEqual(address)
    expect(node.python.started).toHaveLength(2)
  })

  test('do not take the CPUs of tasks unless they ask', async () => {
    const node = new FakeNode({ cpus: 1 })
    await node.createActor()
    const [worker] = (await node.lease()) as [number, number]
    const heavy = node.createActor({ id: actorId(2), options: { resources: { cpu: 1 } } })
    await settle()
    await node.call('agent::release', [worker]).value
    await heavy
    expect((await node.info())['cpusUsed']).toBe(1)
  })

  test('that share and need resources are refused', async () => {
    const wish = { options: { share: true, resources: { cpu: 1 } } }
    await expect(new FakeNode().createActor(wish)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^actor.options.share: an actor that needs/) as string,
    })
  })

  test('that share live in one process, also when they come at once', async () => {
    const node = new FakeNode()
    const share = (id: number) =>
      node.createActor({ id: actorId(id), options: { share: true } }) as Promise<[number, number]>
    const addresses = await Promise.all([share(1), share(2), share(3)])
    expect(new Set(addresses.map(([endpoint]) => endpoint)).size).toBe(1)
    expect(addresses.map(([, instance]) => instance).sort()).toEqual([1, 2, 3])
    await node.call('agent::kill_actor', [actorId(1)]).value
    expect(node.python.started[0]!.signals).toEqual([])
    expect(node.endpoint.sent.at(-1)).toMatchObject({ name: 'worker::destroy_actor', args: [1] })
    expect((await share(4))[0]).toBe(addresses[0][0])
  })

  test('whose constructor fails are dead with its cause, and their worker ends', async () => {
    const node = new FakeNode()
    const cause = new Error('no such file')
    node.endpoint.answer = ({ name }) =>
      name === 'worker::create_actor' ? Promise.reject(cause) : Promise.resolve(null)
    const failed = { code: 'ACTOR_CREATION_FAILED', cause }
    await expect(node.createActor()).rejects.toMatchObject(failed)
    const address = node.call('agent::actor_address', [actorId(1)]).value
    await expect(address).rejects.toMatchObject(failed)
    expect(node.python.started[0]!.signals).toContain('SIGKILL')
  })

  test('die with their process, and say how', async () => {
    const node = new FakeNode()
    const [endpoint] = (await node.createActor({ name: 'hits' })) as [number, number]
    node.python.started[0]!.end({ code: 4, signal: null })
    node.agent.left(endpoint, 'gone')
    await expect.poll(() => node.actorState(1)).toBe('dead')
    const address = node.call('agent::actor_address', [actorId(1)]).value
    await expect(address).rejects.toMatchObject({
      code: 'ACTOR_DIED',
      message: 'actor Scorer "hits" died: process 1000000 exited with status 4',
    })
    const search = node.call('agent::get_actor', ['hits']).value
    await expect(search).rejects.toMatchObject({ code: 'ACTOR_NOT_FOUND' })
  })

  test('that are killed while they wait for a worker take none', async () => {
    const node = new FakeNode()
    node.python.onStart = () => {}
    const created = node.createActor()
    await settle()
    await node.call('agent::kill_actor', [actorId(1)]).value
    await expect(created).rejects.toMatchObject({ code: 'ACTOR_DIED' })
    node.attach(node.python.started[0]!)
    expect(node.endpoint.sent).toEqual([])
  })

  test('are found by name, with what their creator said about them', async () => {
    const node = new FakeNode()
    await node.createActor({ name: 'hits', options: { methods: ['score'] } })
    expect(await node.call('agent::get_actor', ['hits']).value).toMatchObject({
      language: 'python',
      class: 'm:Scorer',
      methods: ['score'],
    })
    await expect(node.createActor({ id: actorId(2), name: 'hits' })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
    const same = node.createActor({ id: actorId(3), name: 'hits', options: { getIfExists: true } })
    expect(await same).toEqual(await node.call('agent::actor_address', [actorId(1)]).value)
  })

  test('are not given up when the worker that created them ends', async () => {
    const node = new FakeNode()
    const [creator] = (await node.lease()) as [number, number]
    node.python.onStart = () => {}
    const created = node.createActor({ id: actorId(2) }, creator)
    node.agent.left(creator, 'killed')
    node.attach(node.python.started[1]!)
    expect(await created).toEqual([expect.any(Number), 1])
    expect(await node.actorState(2)).toBe('alive')
  })

  test('of one driver end with it, those of another live on', async () => {
    const node = new FakeNode()
    node.join(2, 8, 'driver', 'other')
    await node.createActor()
    await node.createActor({ id: actorId(2) }, 2)
    node.agent.left(2, 'left')
    await settle()
    const [mine, theirs] = node.python.started
    expect(mine!.signals).toEqual([])
    expect(theirs!.signals).toContain('SIGKILL')
  })
})

describe('the session', () => {
  test('keeps values', async () => {
    const node = new FakeNode()
    await node.call('agent::kv_put', ['a', new Uint8Array([1, 2])]).value
    expect(await node.call('agent::kv_get', ['a']).value).toEqual(new Uint8Array([1, 2]))
    expect(await node.call('agent::kv_get', ['b']).value).toBeNull()
  })

  test('refuses an unknown call by name', async () => {
    const node = new FakeNode()
    await expect(node.call('agent::fly').value).rejects.toThrow('no call agent::fly; there is')
  })

  test('ends when its driver leaves: workers are asked, then made to end', async () => {
    const node = new FakeNode()
    await node.lease()
    const worker = node.python.started[0]!
    node.agent.left(1, 'killed')
    expect(node.endpoint.sent.at(-1)).toMatchObject({ name: 'worker::exit' })
    worker.end({ code: 0, signal: null })
    await expect.poll(() => node.endedReasons).toEqual(['the driver left: killed'])
    expect(worker.signals).toEqual([])
    expect(node.endpoint.closed).toBe(true)
    expect(node.python.closed).toBe(true)
    await expect(node.lease()).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
  })

  test('ends stubborn workers by signals', async () => {
    const node = new FakeNode()
    await node.lease()
    await node.call('agent::shutdown').value
    await expect.poll(() => node.endedReasons, { timeout: 3_000 }).toHaveLength(1)
    expect(node.python.started[0]!.signals).toEqual(['SIGTERM', 'SIGKILL'])
  })

  test('has idle workers ready a while after it started, and refills them', async () => {
    const node = new FakeNode({ prestart: { python: 1, typescript: 1 } })
    const idle = async () => {
      const workers = (await node.info())['workers'] as { state: string }[]
      return workers.filter(({ state }) => state === 'idle').length
    }
    expect(node.python.started).toHaveLength(0)
    await expect.poll(() => node.python.started.length).toBe(1)
    await expect.poll(() => node.typescript.started.length).toBe(1)
    await settle()
    expect(await idle()).toBe(2)
    await node.createActor()
    expect(node.python.started).toHaveLength(1)
    await expect.poll(() => node.python.started.length).toBe(2)
  })

  test('keeps an idle worker that owns a value which others need', async () => {
    const node = new FakeNode({ idleSeconds: 0.02 })
    let needed = true
    node.endpoint.answer = ({ name }) =>
      Promise.resolve(name === 'worker::is_unused' ? !needed : null)
    const [worker] = (await node.lease()) as [number, number]
    await node.call('agent::release', [worker]).value
    const asked = () => node.endpoint.sent.map(({ name }) => name)
    await expect.poll(() => asked().length).toBeGreaterThan(1)
    expect(new Set(asked())).toEqual(new Set(['worker::is_unused']))
    expect(await node.lease()).toEqual([worker, 0])
    await node.call('agent::release', [worker]).value
    needed = false
    await expect.poll(asked).toContain('worker::exit')
  })

  test('stops workers that nobody has needed', async () => {
    const node = new FakeNode({ idleSeconds: 0.02 })
    const [worker] = (await node.lease()) as [number, number]
    await node.call('agent::release', [worker]).value
    await expect.poll(() => node.endpoint.sent.map(({ name }) => name)).toContain('worker::exit')
  })
})
