import { mkdirSync } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WorkerEnvironment } from './environment.ts'
import { ForkServer } from './fork-server.ts'
import type { HostSpec } from './host.ts'
import { LogRelay } from './log-relay.ts'
import { listenForLogs } from './log-server.ts'
import { processesWithEnvironment } from './proc.ts'
import { describe as describeFolder, type SessionFolder } from './session-folder.ts'
import { membershipOf } from './stale-sessions.ts'
import { TemporaryFolder } from './testing/temporary-folder.ts'

/** A small fork server of the same protocol. */
const program = [join(import.meta.dirname, 'testing/fork_server.py')]

function environment(mode: string, more: Partial<WorkerEnvironment> = {}): WorkerEnvironment {
  return { key: '', python: 'python3', cwd: '/', sysPath: [], variables: { MODE: mode }, ...more }
}

function spec(token: string, of: WorkerEnvironment): HostSpec {
  return { token, language: 'python', kind: 'process', threads: 1, environment: of }
}

let temporary: TemporaryFolder
let folder: SessionFolder
let relay: LogRelay
let logs: Server
let server: ForkServer

beforeEach(async () => {
  temporary = new TemporaryFolder()
  folder = describeFolder(temporary.path, 's')
  mkdirSync(folder.logs, { recursive: true })
  relay = new LogRelay({ folder: folder.logs, driver: null, colour: false })
  logs = await listenForLogs(folder.logSocket, relay)
})

afterEach(async () => {
  await server.close()
  await expect.poll(() => processesWithEnvironment(membershipOf(folder.path))).toEqual([])
  logs.close()
  temporary[Symbol.dispose]()
})

describe('ForkServer', () => {
  test('forks workers, delivers their output and how they ended', async () => {
    const own = environment('exit')
    server = new ForkServer(own, folder, program)
    relay.add('one', 'worker')
    relay.add('two', 'worker')
    const [one, two] = await Promise.all([
      server.fork(spec('one', own)),
      server.fork(spec('two', own)),
    ])
    expect(one.pid).not.toBe(two.pid)
    expect(await one.exited).toEqual({ code: 3, signal: null })
    await relay.closed('one', 5_000)
    expect(relay.tail('one')).toEqual(['hello from one'])
    await two.exited
  })

  test('reports the signal that ended a worker', async () => {
    const own = environment('wait')
    server = new ForkServer(own, folder, program)
    relay.add('one', 'worker')
    const one = await server.fork(spec('one', own))
    one.signal('SIGTERM')
    expect(await one.exited).toEqual({ code: null, signal: 15 })
  })

  test('ends what a worker left in its group', async () => {
    const own = environment('child')
    server = new ForkServer(own, folder, program)
    relay.add('one', 'worker')
    await (
      await server.fork(spec('one', own))
    ).exited
    // The grandchild held the stream; now it is closed.
    await relay.closed('one', 5_000)
    const left = processesWithEnvironment(membershipOf(folder.path))
    expect(left).toHaveLength(1)
  })

  test('that cannot start says why', async () => {
    const own = environment('broken')
    server = new ForkServer(own, folder, program)
    await expect(server.fork(spec('one', own))).rejects.toMatchObject({
      code: 'WORKER_START_FAILED',
      message: expect.stringContaining(
        'the fork server (python3) exited with status 1\nthis fork server is broken',
      ) as string,
    })
    expect(server.ended).toBe(true)
  })

  test('without an interpreter says so', async () => {
    const own = environment('exit', { python: '/nowhere/python3' })
    server = new ForkServer(own, folder, program)
    await expect(server.fork(spec('one', own))).rejects.toThrow('/nowhere/python3 ENOENT')
    await expect(server.fork(spec('two', own))).rejects.toThrow('/nowhere/python3 ENOENT')
  })
})
