// Drivers and agents that are killed: nothing they started survives, and whoever waits is told.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isRunning, Program, sharedMemoryNames } from './support/program.ts'

const drivers = [
  ['TypeScript', (folder: string) => Program.typescript('driver.ts', { args: [folder] })],
  ['Python', (folder: string) => Program.python('driver.py', { args: [folder] })],
] as const

let folder = ''
let names: string[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faults-'))
  names = sharedMemoryNames()
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Ready {
  readonly pids: number[]
  readonly agent: number
}

/** Waits until workers of both languages are in the middle of a task. */
async function busy(program: Program): Promise<Ready> {
  const ready = JSON.parse(await program.line('ready')) as Ready
  for (const language of ['typescript', 'python']) {
    await expect.poll(() => existsSync(join(folder, language)), { timeout: 20_000 }).toBe(true)
  }
  // What is to vanish is there now: the driver, the agent, the workers.
  expect(ready.pids).toHaveLength(4)
  expect(program.processes()).toEqual(
    expect.arrayContaining([program.child.pid, ready.agent, ...ready.pids]),
  )
  expect(program.sessions()).toHaveLength(1)
  return ready
}

describe.each(drivers)('a driver in %s', (_language, start) => {
  test.each(['SIGKILL', 'SIGTERM'] as const)('on %s takes everything with it', async (signal) => {
    using program = start(folder)
    await busy(program)
    program.child.kill(signal)
    await program.vanishes()
    expect((await program.ended).status).toBe(signal)
    expect(sharedMemoryNames()).toEqual(names)
  })

  test('whose agent is killed: its calls fail, the workers end, it ends in order', async () => {
    using program = start(folder)
    const { agent, pids } = await busy(program)
    process.kill(agent, 'SIGKILL')
    const codes = (await program.line('codes')).split(' ')
    for (const code of codes) expect(['SESSION_CLOSED', 'NODE_LOST', 'WORKER_DIED']).toContain(code)
    expect(['SESSION_CLOSED', 'NODE_LOST', 'NOT_INITIALISED']).toContain(await program.line('next'))
    await expect.poll(() => pids.filter(isRunning), { timeout: 5_000 }).toEqual([])
    expect((await program.ended).status).toBe(0)
    await expect.poll(() => program.processes(), { timeout: 5_000 }).toEqual([])
    expect(sharedMemoryNames()).toEqual(names)
  })
})

test('what a killed agent left is swept by the next session', async () => {
  using program = Program.typescript('driver.ts', { args: [folder] })
  const { agent } = await busy(program)
  const [stale] = program.sessions()
  process.kill(agent, 'SIGKILL')
  await program.ended
  expect(program.sessions()).toEqual([stale])
  const env = { XDG_RUNTIME_DIR: program.runtime }
  rmSync(join(folder, 'typescript'))
  rmSync(join(folder, 'python'))
  using next = Program.typescript('driver.ts', { args: [folder], env })
  await next.line('ready')
  await expect.poll(() => program.sessions(), { timeout: 10_000 }).not.toContain(stale)
  expect(program.sessions()).toHaveLength(1)
})
