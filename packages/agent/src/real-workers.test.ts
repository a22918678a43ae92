import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../workers/typescript/src/internal.ts'
import { processesWithEnvironment, startTicks } from './proc.ts'
import { membershipOf } from './stale-sessions.ts'
import { attachDriver, callAgent, StartedAgent } from './testing/started-agent.ts'

/** The workers of the SDK, leased by hand. */
const tasks = join(import.meta.dirname, 'testing/tasks.ts')
const shape = { language: 'typescript' }
const gone = { timeout: 2_000, interval: 20 }
const patience = { timeout: 20_000 }

function run(endpoint: Endpoint, [worker, instance]: number[], task: string, ...args: unknown[]) {
  const target = endpoint.native.targetEndpoint(worker!, instance!)
  return endpoint.call(endpoint.callable(target, `typescript:${tasks}:${task}`), args).get()
}

/** Keeps a worker busy for ever; it is when this returns. */
async function spin(agent: StartedAgent, driver: Endpoint, worker: number[]): Promise<Spinning> {
  const file = join((await agent.line)['folder'] as string, 'spins')
  const failed = run(driver, worker, 'spin', file).catch(() => {})
  await expect.poll(() => existsSync(file), patience).toBe(true)
  return { failed }
}

/** The call that never returns. */
interface Spinning {
  readonly failed: Promise<unknown>
}

async function lease(endpoint: Endpoint): Promise<number[]> {
  return (await callAgent(endpoint, 'agent::lease', [shape])) as number[]
}

describe('threads of TypeScript workers', () => {
  test('execute tasks, two to a process', async () => {
    await using agent = new StartedAgent({ options: { cpus: 2 } })
    const driver = await agent.attach()
    const leases = [await lease(driver), await lease(driver)]
    const results = leases.map((worker, i) => run(driver, worker, 'square', i + 2))
    expect(await Promise.all(results)).toEqual([4, 9])
    const { workers } = (await agent.call('agent::node_info')) as { workers: { pid: number }[] }
    expect(new Set(workers.map(({ pid }) => pid)).size).toBe(1)
  })

  test('that compute for a driver that left are stopped, the others go on', async () => {
    await using agent = new StartedAgent({ options: { cpus: 2 } })
    const driver = await agent.attach()
    const mine = await lease(driver)
    const second = attachDriver((await agent.line)['socket'] as string)
    const spinning = await spin(agent, second, await lease(second))
    second.close()
    await spinning.failed
    expect(await run(driver, mine, 'square', 4)).toBe(16)
    const again = await lease(driver)
    expect(again).not.toEqual(mine)
    expect(await run(driver, again, 'square', 5)).toBe(25)
  })
})

describe('busy workers are gone', () => {
  test('when the end of a thread is asked for; the others of its process go on', async () => {
    await using agent = new StartedAgent({ options: { cpus: 2 } })
    const driver = await agent.attach()
    const [busy, other] = [await lease(driver), await lease(driver)]
    const spinning = await spin(agent, driver, busy)
    await agent.call('agent::end_worker', busy[0], 'the test wants it')
    await spinning.failed
    expect(await run(driver, other, 'square', 4)).toBe(16)
    const again = await lease(driver)
    expect(again).not.toEqual(busy)
    expect(await run(driver, again, 'square', 5)).toBe(25)
  })

  test('2 s after SIGKILL to their driver', async () => {
    const script = join(import.meta.dirname, 'testing/spinning-driver.ts')
    const driver = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(driver.stdout, 'data')) as [Buffer]
    const folder = line.toString().trim()
    await expect.poll(() => existsSync(join(folder, 'spins')), patience).toBe(true)
    expect(processesWithEnvironment(membershipOf(folder))).not.toEqual([])
    driver.kill('SIGKILL')
    await expect.poll(() => processesWithEnvironment(membershipOf(folder)), gone).toEqual([])
  })

  test('2 s after SIGKILL to the agent', async () => {
    await using agent = new StartedAgent()
    const driver = await agent.attach()
    const worker = await lease(driver)
    const spinning = await spin(agent, driver, worker)
    const folder = (await agent.line)['folder'] as string
    expect(processesWithEnvironment(membershipOf(folder))).toHaveLength(1)
    agent.child.kill('SIGKILL')
    await expect.poll(() => processesWithEnvironment(membershipOf(folder)), gone).toEqual([])
    await spinning.failed
  })

  test('when the session is shut down', async () => {
    await using agent = new StartedAgent()
    const driver = await agent.attach()
    const worker = await lease(driver)
    const { workers } = (await agent.call('agent::node_info')) as { workers: { pid: number }[] }
    const spinning = await spin(agent, driver, worker)
    await agent.call('agent::shutdown')
    expect(await agent.exited).toBe(0)
    expect(workers.map(({ pid }) => startTicks(pid))).toEqual(workers.map(() => null))
    await spinning.failed
  })
})

test('a Python actor that died is constructed again, and knows which life it has', async () => {
  const sysPath = [join(import.meta.dirname, 'testing')]
  await using agent = new StartedAgent({ options: { sysPath } })
  const driver = await agent.attach()
  const id = new Uint8Array(16).fill(1)
  const method = ([endpoint, instance]: number[], name: string) => {
    const target = driver.native.targetEndpoint(endpoint!, instance!)
    return driver.call(driver.callable(target, `method::${name}`), []).get()
  }
  using args = driver.put([[40], { step: 2 }])
  const actor = { id, language: 'python', class: 'restarting:Restarting', args }
  const created = agent.call('agent::create_actor', { ...actor, options: { maxRestarts: 1 } })
  const first = (await created) as number[]
  expect(await method(first, 'describe')).toEqual([42, 1])
  await expect(method(first, 'die')).rejects.toMatchObject({ fault: 'peer' })
  const second = (await agent.call('agent::actor_address', id, first[0])) as number[]
  expect(await method(second, 'describe')).toEqual([42, 2])
  await expect(method(second, 'die')).rejects.toMatchObject({ fault: 'peer' })
  await expect(agent.call('agent::actor_address', id, second[0])).rejects.toMatchObject({
    code: 'ACTOR_DIED',
    message: expect.stringMatching(
      /^actor Restarting died: process \d+ was killed by SIGKILL; restarted once, no restart left/,
    ) as string,
  })
})

test(
  'an idle TypeScript and Python worker are started when the driver is calm',
  patience,
  async () => {
    const prestart = { python: 1, typescript: 1 }
    await using agent = await StartedAgent.attached({ options: { prestart } })
    const idle = async () => {
      // Asking often would keep the agent from being calm.
      await new Promise((resolve) => setTimeout(resolve, 300))
      const info = (await agent.call('agent::node_info')) as { workers: Record<string, string>[] }
      return info.workers.map(({ language, state }) => `${language} ${state}`).sort()
    }
    await expect.poll(idle, patience).toEqual(['python idle', 'typescript idle'])
  },
)
