import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pidNamespace, processesWithEnvironment, signalGroup, startTicks } from './proc.ts'
import {
  createSessionFolder,
  processOfSession,
  removeSessionFolder,
  sessionName,
} from './session-folder.ts'
import { membershipOf, sweepStaleSessions } from './stale-sessions.ts'
import { TemporaryFolder } from './testing/temporary-folder.ts'

const gone = 4_000_000 // above the kernel's largest process id

describe('a session folder', () => {
  test('is private, and its name tells whose it is', () => {
    using base = new TemporaryFolder()
    const root = join(base.path, 'root')
    const folder = createSessionFolder(root)
    expect(statSync(root).mode & 0o777).toBe(0o700)
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
    expect(processOfSession(folder.session)).toEqual({
      pid: process.pid,
      ticks: startTicks(process.pid),
      namespace: pidNamespace(),
    })
    removeSessionFolder(folder.path)
    expect(existsSync(folder.path)).toBe(false)
    expect(processOfSession('compile-cache')).toBeNull()
  })

  test('a root that others can read is closed, one that is a link is refused', () => {
    using base = new TemporaryFolder()
    const open = join(base.path, 'open')
    mkdirSync(open)
    chmodSync(open, 0o755)
    createSessionFolder(open)
    expect(statSync(open).mode & 0o777).toBe(0o700)
    const link = join(base.path, 'link')
    symlinkSync(open, link)
    expect(() => createSessionFolder(link)).toThrow('is not a folder of user')
  })

  test('a path that is too long for a socket is refused with the fix', () => {
    using base = new TemporaryFolder()
    const root = join(base.path, 'x'.repeat(100))
    expect(() => createSessionFolder(root)).toThrow(/needs \d+ characters, has 107 characters; set/)
  })

  test('a place that cannot be written says what to set', () => {
    expect(() => createSessionFolder('/proc/nothing/root')).toThrow('set XDG_RUNTIME_DIR or TMPDIR')
  })
})

describe('sweeping', () => {
  test('removes folders of dead agents only', async () => {
    using base = new TemporaryFolder()
    const own = createSessionFolder(base.path)
    const here = pidNamespace()
    const dead = sessionName(gone, 1, here)
    const reused = sessionName(process.pid, 1, here)
    const foreign = sessionName(gone, 1, here + 1)
    const foreignOld = sessionName(gone, 2, here + 1)
    const others = ['compile-cache', 'x-1-2']
    for (const name of [dead, reused, foreign, foreignOld, ...others]) {
      mkdirSync(join(base.path, name, 'logs'), { recursive: true })
    }
    utimesSync(join(base.path, foreignOld), 1, 1)
    const swept = await sweepStaleSessions(base.path)
    expect(swept.sort()).toEqual([dead, reused, foreignOld].sort())
    for (const name of [own.session, foreign, ...others]) {
      expect(existsSync(join(base.path, name))).toBe(true)
    }
    expect(await sweepStaleSessions(join(base.path, 'nothing'))).toEqual([])
  })

  test('leaves a session alone that answers on its socket', async () => {
    using base = new TemporaryFolder()
    const name = sessionName(gone, 1, pidNamespace())
    mkdirSync(join(base.path, name))
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(join(base.path, name, 'logs.sock'), () => resolve())
    })
    expect(await sweepStaleSessions(base.path)).toEqual([])
    await new Promise((resolve) => server.close(resolve))
    expect(await sweepStaleSessions(base.path)).toEqual([name])
  })

  test('ends processes that survived their session, and no others', async () => {
    using base = new TemporaryFolder()
    const name = sessionName(gone, 1, pidNamespace())
    const path = join(base.path, name)
    mkdirSync(path)
    const start = (folder: string) =>
      spawn('sleep', ['60'], { detached: true, env: { THORNBACK_FOLDER: folder } })
    const survivor = start(path)
    const bystander = start(`${path}x`)
    await expect.poll(() => processesWithEnvironment(membershipOf(path))).toEqual([survivor.pid])
    const ended = new Promise((resolve) => survivor.once('exit', (_, signal) => resolve(signal)))
    await sweepStaleSessions(base.path)
    expect(await ended).toBe('SIGKILL')
    expect(startTicks(survivor.pid!)).toBeNull()
    expect(startTicks(bystander.pid!)).not.toBeNull()
    expect(signalGroup(bystander.pid!, 'SIGKILL')).toBe(true)
    expect(signalGroup(gone, 'SIGKILL')).toBe(false)
  })
})
