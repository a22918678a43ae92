import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  AlreadyInitialisedError,
  ConnectionFailedError,
  get,
  init,
  InvalidArgumentError,
  NotInitialisedError,
  put,
  SessionClosedError,
} from '../src/index.ts'
import { Counter, later, square } from './fixtures/shapes.ts'
import { errorOf, testOptions } from './session.ts'

interface Ended {
  status: number | null
  output: string
}

/** Runs a program of the fixtures and waits for its end. */
function run(name: string, args: string[] = []): Promise<Ended> {
  const path = new URL(`./fixtures/${name}`, import.meta.url).pathname
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve({ status, output })
    })
  })
}

/** Processes whose command line or environment names the session. */
function processesOf(session: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(session)
    } catch {
      return false
    }
  }).length
}

describe('a session', () => {
  it('is needed', () => {
    expect(() => square(1)).toThrow(NotInitialisedError)
    expect(() => put(1)).toThrow('put needs a session: call init() first')
  })

  it('is the only one of its process, and may be followed by another', async () => {
    const cluster = await init(testOptions)
    expect(await errorOf(init(testOptions))).toBeInstanceOf(AlreadyInitialisedError)
    expect(await square(2)).toBe(4)
    const pending = [later(60_000, 'never'), later(60_000, 'never')]
    const failures = Promise.all(pending.map((ref) => errorOf(ref)))
    await cluster.shutdown()
    for (const error of await failures)
      expect(error.name).toMatch(/SessionClosedError|WorkerDiedError/)
    expect(cluster.isOpen).toBe(false)
    expect(() => square(1)).toThrow(SessionClosedError)
    await cluster.shutdown()
    await using again = await init(testOptions)
    expect(await square(3)).toBe(9)
    expect(again.isOpen).toBe(true)
  })

  it('leaves handles and refs that say it has ended', async () => {
    const cluster = await init(testOptions)
    const counter = await Counter.create(1)
    const ref = put({ a: 1 })
    await cluster.shutdown()
    expect(() => counter.add(1)).toThrow(SessionClosedError)
    expect(await errorOf(ref)).toBeInstanceOf(SessionClosedError)
    await counter[Symbol.asyncDispose]()
    ref.dispose()
  })

  it('can be joined by its address', async () => {
    await using cluster = await init(testOptions)
    const { status, output } = await run('second-driver.ts', [cluster.address])
    expect(output).toContain('joined and got 49')
    expect(status).toBe(0)
    expect(await square(2)).toBe(4)
    expect(await errorOf(init({ address: '/nowhere/hub.sock' }))).toBeInstanceOf(
      AlreadyInitialisedError,
    )
  })

  it('that does not exist is reported', async () => {
    const error = await errorOf(init({ address: '/nowhere/hub.sock' }))
    expect(error).toBeInstanceOf(ConnectionFailedError)
    expect(error.message).toContain('/nowhere/hub.sock')
  })

  it('reports wrong options with their path', async () => {
    const error = await errorOf(init({ prestart: { python: -1 } }))
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error.message).toBe('options.prestart.python: must be a number from 0')
    expect((await errorOf(init({ cpu: 2 } as never))).message).toMatch(/there is .*cpus/)
  })

  it('leaves nothing behind, however often', async () => {
    const names = new Set<string>()
    for (let round = 0; round < 3; round++) {
      const cluster = await init(testOptions)
      expect(await get([square(1), square(2)])).toEqual([1, 4])
      names.add(cluster.address.split('/').at(-2)!)
      await cluster.shutdown()
    }
    expect(names.size).toBe(3)
    for (const name of names) expect(processesOf(name)).toBe(0)
  })
})

describe('a program', () => {
  it('that is done ends by itself, with its session open', async () => {
    const { status, output } = await run('forgetful.ts')
    expect(output).toContain('done')
    expect(status).toBe(0)
  })

  it('that defines its tasks in the file that calls init() works with a guard', async () => {
    const { status, output } = await run('one-file.ts')
    expect(output).toContain('25')
    expect(status).toBe(0)
  })
})
