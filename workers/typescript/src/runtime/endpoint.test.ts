import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { BackPressureError, SessionClosedError, StoreFullError } from '../errors/index.ts'
import { control } from '../native/layout.ts'
import { ResultKind } from './callable.ts'
import type { IncomingCall } from './incoming-call.ts'
import { Loopback } from './testing/loopback.ts'

function echo(call: IncomingCall): void {
  call.reply(call.args[0])
}

describe('an endpoint', () => {
  it('sends many calls of one turn in order, and gets all results', async () => {
    const seen: unknown[] = []
    using loop = new Loopback((call) => {
      seen.push(call.args[0])
      call.reply(call.args[0])
    })
    const callable = loop.callable('echo')
    const refs = Array.from({ length: 5_000 }, (_, index) => loop.driver.call(callable, [index]))
    const results = await Promise.all(refs)
    expect(results).toEqual(refs.map((_, index) => index))
    expect(seen).toEqual(results)
    expect(loop.driver.pending).toBe(0)
    expect(loop.driver.outbox.words[control.keepAlive]).toBe(0)
  })

  it('lets go of results that are plain values at once', async () => {
    using loop = new Loopback(echo)
    const callable = loop.callable('echo')
    await loop.driver.call(callable, [1])
    const before = loop.driver.stats.refsLive
    for (let round = 0; round < 100; round++) await loop.driver.call(callable, ['text'])
    loop.driver.outbox.flush()
    // Refs are reserved in advance; using one up lowers the count.
    expect(loop.driver.stats.refsLive).toBeLessThanOrEqual(before)
  })

  it('passes values of every size', async () => {
    using loop = new Loopback(echo)
    const callable = loop.callable('echo')
    for (const size of [0, 10, 4_000, 16_000, 17_000, 60_000, 70_000, 300_000, 2_000_000]) {
      const text = 'x'.repeat(size)
      expect(await loop.driver.call(callable, [text])).toBe(text)
      const bytes = new Uint8Array(size).fill(size % 251)
      expect(await loop.driver.call(callable, [bytes])).toEqual(bytes)
    }
  })

  it('marks a call as stream within the turn, and knows it afterwards', async () => {
    const flags: boolean[] = []
    using loop = new Loopback((call) => {
      flags.push(call.isStream)
      call.item(1)
      call.reply()
    })
    const callable = loop.callable('items')
    const items: unknown[] = []
    for await (const item of loop.driver.call(callable, [])) items.push(item)
    expect(callable.kind).toBe(ResultKind.stream)
    const known = loop.driver.invoke(callable, []) as AsyncIterable<unknown>
    for await (const item of known) items.push(item)
    expect(items).toEqual([1, 1])
    expect(flags).toEqual([true, true])
  })

  it('replies once, whatever is said later', async () => {
    using loop = new Loopback((call) => {
      call.reply('first')
      call.reply('second')
      call.throw(new Error('third'))
      expect(call.isReplied).toBe(true)
    })
    expect(await loop.driver.call(loop.callable('once'), [])).toBe('first')
  })

  it('answers a call with the error that serving it threw', async () => {
    using loop = new Loopback(() => {
      throw new Error('served badly')
    })
    await expect(loop.driver.call(loop.callable('bad'), []).get()).rejects.toThrow('served badly')
  })

  it('refuses what does not fit into the store, here and there', async () => {
    using loop = new Loopback((call) => call.reply(new Uint8Array(100 * 1024 * 1024)))
    const callable = loop.callable('huge')
    const huge = new Uint8Array(100 * 1024 * 1024)
    expect(() => loop.driver.call(callable, [huge])).toThrow(StoreFullError)
    expect(() => loop.driver.put(huge)).toThrow(StoreFullError)
    await expect(loop.driver.call(callable, []).get()).rejects.toThrow(StoreFullError)
  })

  it('refuses more calls than its limit', async () => {
    const calls: IncomingCall[] = []
    using loop = new Loopback((call) => calls.push(call), 3)
    const callable = loop.callable('wait')
    const refs = [1, 2, 3].map((n) => loop.driver.call(callable, [n]))
    expect(() => loop.driver.call(callable, [4])).toThrow(BackPressureError)
    await expect.poll(() => calls.length, { timeout: 10_000 }).toBe(3)
    for (const call of calls) call.reply(0)
    await Promise.all(refs)
    expect(() => loop.driver.call(callable, [5]).dispose()).not.toThrow()
  })

  it('fails what is pending when it is closed', async () => {
    using loop = new Loopback(() => undefined)
    const pending = loop.driver.call(loop.callable('never'), [])
    const stream = loop.driver.openStream(loop.callable('never'), [])
    const item = stream.next()
    loop.driver.close()
    await expect(pending.get()).rejects.toThrow(SessionClosedError)
    await expect(item).rejects.toThrow(SessionClosedError)
    expect(() => loop.driver.put(1)).toThrow(SessionClosedError)
  })
})

describe('an endpoint of a worker thread', () => {
  interface Started {
    readonly worker: Worker
    readonly exited: Promise<unknown>
  }

  async function start(loop: Loopback, stays: boolean): Promise<Started> {
    const url = new URL('./testing/attached-thread.ts', import.meta.url)
    const worker = new Worker(url, { workerData: { socketPath: loop.socketPath, stays } })
    // Before the first message: a thread that ends at once has its last message and its end delivered in one turn.
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    expect(answer).toBe(3)
    return { worker, exited }
  }

  function left(loop: Loopback): Promise<number> {
    return new Promise((resolve) => {
      loop.node.events.peerLeft = resolve
    })
  }

  it('leaves when the thread has nothing more to do', async () => {
    using loop = new Loopback(echo)
    loop.node.outbox.keepAlive(1)
    const gone = left(loop)
    const { exited } = await start(loop, false)
    expect(await gone).toBeGreaterThan(0)
    expect(await exited).toBe(0)
  })

  it('leaves when the thread is terminated', async () => {
    using loop = new Loopback(echo)
    loop.node.outbox.keepAlive(1)
    const started = await Promise.all([start(loop, true), start(loop, true)])
    const gone = left(loop)
    await Promise.all(started.map(({ worker }) => worker.terminate()))
    expect(await gone).toBeGreaterThan(0)
  })
})
