import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { processesWithEnvironment, startTicks } from './proc.ts'
import { membershipOf } from './stale-sessions.ts'
import { attachDriver, callAgent, StartedAgent } from './testing/started-agent.ts'
import { TemporaryFolder } from './testing/temporary-folder.ts'

const root = `thornback-${process.getuid!()}`
/** A session whose driver was killed takes no longer. */
const gone = { timeout: 2_000, interval: 20 }
/** THORNBACK_LONG_TESTS=1 runs a thousand. */
const cycles = process.env['THORNBACK_LONG_TESTS'] ? 1_000 : 10

describe('a session', () => {
  test('starts, tells where it is, answers, and leaves nothing behind', async () => {
    using base = new TemporaryFolder()
    await using agent = await StartedAgent.attached({ env: { XDG_RUNTIME_DIR: base.path } })
    const line = await agent.line
    expect(line['folder']).toBe(join(base.path, root, line['session'] as string))
    expect(line['pid']).toBe(agent.child.pid)
    const info = (await agent.call('agent::node_info')) as Record<string, unknown>
    expect(info).toMatchObject({ session: line['session'], workers: [], actors: [] })
    expect(info['drivers']).toMatchObject([{ pid: process.pid, token: 'test' }])
    await agent.call('agent::shutdown')
    expect(await agent.exited).toBe(0)
    expect(readdirSync(join(base.path, root))).toEqual([])
    expect(agent.stderr).toBe('')
  })

  test('keeps values for its drivers, and passes errors with their codes', async () => {
    await using agent = await StartedAgent.attached()
    const value = new Uint8Array(100_000).map((_, i) => i)
    await agent.call('agent::kv_put', 'key', value)
    expect(await agent.call('agent::kv_get', 'key')).toEqual(value)
    await expect(agent.call('agent::get_actor', 'nobody')).rejects.toMatchObject({
      code: 'ACTOR_NOT_FOUND',
      message: 'no actor named nobody; there is none',
    })
  })

  test('goes on when a second driver comes and leaves', async () => {
    await using agent = await StartedAgent.attached()
    const second = attachDriver((await agent.line)['socket'] as string)
    const drivers = async () =>
      ((await agent.call('agent::node_info')) as { drivers: unknown[] }).drivers.length
    await callAgent(second, 'agent::kv_put', ['a', new Uint8Array(1)])
    expect(await drivers()).toBe(2)
    second.close()
    await expect.poll(drivers).toBe(1)
  })
})

describe('a session ends', () => {
  test('when the driver detaches', async () => {
    await using agent = await StartedAgent.attached()
    agent.detach()
    expect(await agent.exited).toBe(0)
  })

  test('when the lifeline closes before the driver has attached', async () => {
    await using agent = new StartedAgent()
    const { folder } = await agent.line
    agent.lifeline.destroy()
    expect(await agent.exited).toBe(0)
    expect(existsSync(folder as string)).toBe(false)
  })

  test.each(['SIGTERM', 'SIGHUP'] as const)('on %s to the agent', async (signal) => {
    await using agent = await StartedAgent.attached()
    agent.child.kill(signal)
    expect(await agent.exited).toBe(0)
  })

  test('within 2 s of SIGKILL to the driver', async () => {
    const driver = await startDriver()
    driver.child.kill('SIGKILL')
    await expect.poll(() => startTicks(driver.agentPid), gone).toBeNull()
    expect(existsSync(driver.folder)).toBe(false)
    expect(processesWithEnvironment(membershipOf(driver.folder))).toEqual([])
  })

  test('but not on SIGINT to the agent', async () => {
    await using agent = await StartedAgent.attached()
    agent.child.kill('SIGINT')
    expect(await agent.call('agent::kv_get', 'key')).toBeNull()
    agent.child.kill('SIGINT')
    expect(await agent.call('agent::kv_get', 'key')).toBeNull()
  })
})

describe('a session that cannot start', () => {
  test('says which option is wrong', async () => {
    await using agent = new StartedAgent({ argument: '{"cpus": -1}' })
    expect(await agent.line).toEqual({
      error: {
        code: 'INVALID_ARGUMENT',
        message: 'agent options.cpus: must be a whole number from 1',
      },
    })
    expect(await agent.exited).toBe(1)
  })

  test('says which folder cannot be made', async () => {
    using base = new TemporaryFolder()
    const file = join(base.path, 'file')
    writeFileSync(file, '')
    await using agent = new StartedAgent({ env: { XDG_RUNTIME_DIR: file } })
    expect(await agent.line).toMatchObject({
      error: { code: 'SYSTEM_ERROR', message: expect.stringContaining('ENOTDIR') as string },
    })
  })
})

test('what a killed agent left behind is gone after the next start', async () => {
  using base = new TemporaryFolder()
  const env = { XDG_RUNTIME_DIR: base.path }
  const killed = await StartedAgent.attached({ env })
  const { folder } = await killed.line
  killed.child.kill('SIGKILL')
  await killed.exited
  killed.detach()
  expect(existsSync(folder as string)).toBe(true)
  await using next = await StartedAgent.attached({ env })
  expect(existsSync((await next.line)['folder'] as string)).toBe(true)
  await expect.poll(() => existsSync(folder as string), { timeout: 5_000 }).toBe(false)
})

test(`${cycles} sessions in a row leave nothing behind`, { timeout: 600_000 }, async () => {
  using base = new TemporaryFolder()
  const env = { XDG_RUNTIME_DIR: base.path }
  const cycle = async () => {
    await using agent = await StartedAgent.attached({ env })
    await agent.call('agent::node_info')
    await agent.call('agent::shutdown')
    agent.detach()
    expect(await agent.exited).toBe(0)
  }
  // The first ones load what is loaded once.
  for (let i = 0; i < 3; i++) await cycle()
  const before = resources()
  for (let i = 0; i < cycles; i++) await cycle()
  expect(resources()).toEqual(before)
  expect(readdirSync(join(base.path, root))).toEqual([])
})

/** Descriptors by kind, threads, and mapped memory files of this process. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = { threads: readdirSync('/proc/self/task').length }
  for (const name of readdirSync('/proc/self/fd')) {
    let target: string
    try {
      target = readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      continue
    }
    const kind = target.replace(/[\d:[\]]+$/, '')
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

interface StartedDriver {
  readonly child: ChildProcess
  readonly folder: string
  readonly agentPid: number
}

async function startDriver(): Promise<StartedDriver> {
  const script = join(import.meta.dirname, 'testing/driver-main.ts')
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const [folder, pid] = line.toString().trim().split(' ')
  return { child, folder: folder!, agentPid: Number(pid) }
}
