import { expect, test } from 'vitest'
import { FakeNode, settle } from './testing/fakes.ts'

const typescript = { language: 'typescript' }
const endWorker = (node: FakeNode, endpoint: number, caller = 1) =>
  node.call('agent::end_worker', [endpoint, 'cancelled by force'], caller).value

test('a leased process is killed at once, and its CPU is free', async () => {
  const node = new FakeNode({ cpus: 1 })
  const [worker] = (await node.lease()) as [number, number]
  const next = node.lease()
  await endWorker(node, worker)
  expect(node.python.started[0]!.signals).toEqual(['SIGKILL'])
  expect(await next).not.toEqual([worker, 0])
  node.agent.left(worker, 'killed')
  expect((await node.info())['cpusUsed']).toBe(1)
})

test('a leased thread is stopped, the others of its process go on', async () => {
  const node = new FakeNode()
  const [worker] = (await node.lease(typescript)) as [number, number]
  const [other] = (await node.lease(typescript)) as [number, number]
  await endWorker(node, worker)
  const { spec, signals } = node.typescript.started[0]!
  expect(signals).toEqual([])
  expect(node.endpoint.sent).toEqual([
    { endpoint: node.endpoints.get(spec.token), name: 'worker::stop_thread', args: [0] },
  ])
  node.agent.left(worker, 'stopped')
  await node.call('agent::release', [other]).value
  node.attachAs(`${spec.token}#0`, node.typescript.started[0]!.pid)
  expect(await node.lease(typescript)).not.toEqual([worker, 0])
})

test('any worker of the job may ask, as who submits need not hold the lease', async () => {
  const node = new FakeNode()
  const [holder] = (await node.lease()) as [number, number]
  const [worker] = (await node.lease(undefined, holder)) as [number, number]
  await endWorker(node, worker)
  expect(node.python.started[1]!.signals).toEqual(['SIGKILL'])
  expect(node.python.started[0]!.signals).toEqual([])
})

test('what is no leased task worker of the job is refused', async () => {
  const node = new FakeNode({ cpus: 4 })
  node.join(2, 8, 'driver', 'other')
  const [foreign] = (await node.lease(undefined, 2)) as [number, number]
  const [actor] = (await node.createActor()) as [number, number]
  const [released] = (await node.lease()) as [number, number]
  await node.call('agent::release', [released]).value
  for (const endpoint of [foreign, actor, released, 999, 1]) {
    await expect(endWorker(node, endpoint)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `end_worker.endpoint: endpoint ${endpoint} is no task worker leased for this job; give one that is`,
    })
  }
  await expect(endWorker(node, 0)).rejects.toThrow('end_worker.endpoint: must be an endpoint id')
  await settle()
  expect(node.python.started.flatMap(({ signals }) => signals)).toEqual([])
})
