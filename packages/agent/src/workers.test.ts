import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../workers/typescript/src/internal.ts'
import { CoreEndpoint } from './core-endpoint.ts'
import { LogRelay } from './log-relay.ts'
import { NodeAgent } from './node-agent.ts'
import { NodeStarter } from './node-starter.ts'
import { parseOptions } from './options.ts'
import { processesWithEnvironment, startTicks } from './proc.ts'
import { describe as describeFolder, type SessionFolder } from './session-folder.ts'
import { membershipOf } from './stale-sessions.ts'
import { actorId } from './testing/fakes.ts'
import { attachDriver, callAgent } from './testing/started-agent.ts'
import { TemporaryFolder } from './testing/temporary-folder.ts'

/** An agent in this process, on the core, with workers that are processes of `testing/worker-main.ts`. */
let temporary: TemporaryFolder
let folder: SessionFolder
let agent: NodeAgent
let driver: Endpoint
let printed: string
const ended = { reason: '' }

beforeEach(() => {
  temporary = new TemporaryFolder()
  folder = describeFolder(temporary.path, 's')
  mkdirSync(folder.logs, { recursive: true, mode: 0o700 })
  printed = ''
  ended.reason = ''
  const write = (text: string) => void (printed += text)
  const writer = { pendingBytes: 0, write, drain: () => Promise.resolve() }
  const endpoint = new CoreEndpoint(folder, 1 << 26)
  agent = new NodeAgent({
    options: parseOptions(
      JSON.stringify({ driverPid: process.pid, prestart: {}, cpus: 2, resources: { gpu: 2 } }),
    ),
    folder,
    endpoint,
    relay: new LogRelay({ folder: folder.logs, driver: writer, colour: false }),
    starters: {
      typescript: new NodeStarter(folder, join(import.meta.dirname, 'testing/worker-main.ts')),
    },
    ended: (reason) => (ended.reason = reason),
  })
  endpoint.serve(agent)
  driver = attachDriver(folder.socket)
})

afterEach(async () => {
  await agent.shutdown('the test is over')
  await expect.poll(() => ended.reason).not.toBe('')
  driver.close()
  expect(processesWithEnvironment(membershipOf(folder.path))).toEqual([])
  temporary[Symbol.dispose]()
})

async function create(number: number, args: unknown[], more: object = {}): Promise<number[]> {
  using stored = driver.put([args, {}])
  const wish = { id: actorId(number), language: 'typescript', class: 'm:Scorer', args: stored }
  const created = callAgent(driver, 'agent::create_actor', [{ ...wish, ...more }])
  return (await created) as number[]
}

/** What the agent says about a dead actor. */
function causeOfDeath(number: number): Promise<string> {
  const search = callAgent(driver, 'agent::actor_address', [actorId(number)])
  return search.then(
    () => 'it lives',
    (error: Error & { code: string }) => `${error.code} ${error.message}`,
  )
}

function callActor([endpoint, instance]: number[], method: string, ...args: unknown[]) {
  const target = driver.native.targetEndpoint(endpoint!, instance!)
  return driver.call(driver.callable(target, `method::${method}`), args).get()
}

describe('an actor in a process', () => {
  test('is constructed, called, and its output is marked with its class', async () => {
    const address = await create(1, ['ok'])
    const pid = (await callActor(address, 'pid')) as number
    expect(startTicks(pid)).not.toBeNull()
    await expect.poll(() => printed).toBe(`(Scorer pid=${pid}) actor m:Scorer is instance 1\n`)
    await callAgent(driver, 'agent::kill_actor', [actorId(1)])
    expect(startTicks(pid)).toBeNull()
  })

  test('whose constructor throws tells its creator the cause', async () => {
    const failed = create(1, ['fail'])
    await expect(failed).rejects.toMatchObject({
      code: 'ACTOR_CREATION_FAILED',
      cause: { name: 'TypeError', message: 'the constructor fails' },
    })
  })

  test('whose constructor ends the process tells how, with the last output', async () => {
    await expect(create(1, ['exit'])).rejects.toMatchObject({
      code: 'ACTOR_CREATION_FAILED',
      message: expect.stringMatching(
        /^actor Scorer could not be created: process \d+ exited with status 4; its last output:\nactor m:Scorer/,
      ) as string,
    })
  })

  test('that ends its process is dead for everybody, and they learn how', async () => {
    const address = await create(1, ['ok'], { name: 'hits' })
    await expect(callActor(address, 'exit', 7)).rejects.toMatchObject({ fault: 'peer' })
    // The caller may know before the agent does.
    await expect.poll(() => causeOfDeath(1)).toContain('exited with status 7')
    await expect(callAgent(driver, 'agent::get_actor', ['hits'])).rejects.toMatchObject({
      code: 'ACTOR_NOT_FOUND',
    })
  })

  test('that is killed by a signal is reported as that', async () => {
    const address = await create(1, ['ok'])
    const pid = (await callActor(address, 'pid')) as number
    const call = callActor(address, 'exit')
    process.kill(pid, 'SIGKILL')
    await call.catch(() => {})
    await expect.poll(() => causeOfDeath(1)).toContain('was killed by SIGKILL')
  })

  test('can be one of several in a process', async () => {
    const options = { share: true }
    const first = await create(1, ['ok'], { options })
    const second = await create(2, ['ok'], { options })
    expect(second).toEqual([first[0], 2])
  })
})

describe('an actor that may be restarted', () => {
  const options = { maxRestarts: 1 }
  /** Too large for a frame, so that it lies in the store. */
  const large = new Uint8Array(1 << 20).fill(7)

  /** Kills its process; the address of the next incarnation. */
  async function restart([endpoint]: number[], number: number): Promise<number[]> {
    const { workers } = (await callAgent(driver, 'agent::node_info', [])) as {
      workers: { id: number; pid: number }[]
    }
    process.kill(workers.find(({ id }) => id === endpoint)!.pid, 'SIGKILL')
    const search = callAgent(driver, 'agent::actor_address', [actorId(number), endpoint])
    return (await search) as number[]
  }

  test('is constructed again with its arguments, which are given up when it is over', async () => {
    const address = await create(1, ['ok', large], { options })
    expect(await callActor(address, 'constructed')).toMatchObject({ incarnation: 1, last: 7 })
    expect(driver.stats.objectBytes).toBeGreaterThanOrEqual(large.length)
    const next = await restart(address, 1)
    expect(next).not.toEqual(address)
    const constructed = { incarnation: 2, bytes: large.length, last: 7 }
    expect(await callActor(next, 'constructed')).toMatchObject(constructed)
    await expect(restart(next, 1)).rejects.toMatchObject({
      code: 'ACTOR_DIED',
      message: expect.stringMatching(
        /^actor Scorer died: process \d+ was killed by SIGKILL; restarted once, no restart left; its last output:\nactor m:Scorer/,
      ) as string,
    })
    await expect.poll(() => driver.stats.objectBytes).toBe(0)
  })

  test('gives its arguments up when it is killed', async () => {
    await create(1, ['ok', large], { options: { maxRestarts: -1 } })
    expect(driver.stats.objectBytes).toBeGreaterThanOrEqual(large.length)
    await callAgent(driver, 'agent::kill_actor', [actorId(1)])
    await expect.poll(() => driver.stats.objectBytes).toBe(0)
  })

  test('dies with the error of its constructor', async () => {
    const address = await create(1, ['fail again'], { options: { maxRestarts: 5 } })
    await expect(restart(address, 1)).rejects.toMatchObject({
      code: 'ACTOR_CREATION_FAILED',
      cause: { name: 'TypeError', message: 'the constructor fails' },
    })
  })

  test('gets its GPUs each time', async () => {
    const resources = { gpu: 2 }
    const address = await create(1, ['ok'], { options: { ...options, resources } })
    expect(await callActor(address, 'constructed')).toMatchObject({ gpus: [0, 1] })
    const next = await restart(address, 1)
    expect(await callActor(next, 'constructed')).toMatchObject({ incarnation: 2, gpus: [0, 1] })
  })
})

test('workers end with the session by themselves, and quickly', async () => {
  const address = await create(1, ['ok'])
  const pid = (await callActor(address, 'pid')) as number
  await agent.shutdown('the test is over')
  expect(startTicks(pid)).toBeNull()
  expect(ended.reason).toBe('the test is over')
})
