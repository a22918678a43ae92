import { describe, expect, it } from 'vitest'
import { BackPressureError, SessionClosedError } from '../errors/index.ts'
import { control } from '../native/layout.ts'
import { type Callable, ResultKind } from './callable.ts'
import type { IncomingCall } from './incoming-call.ts'
import { Loopback } from './testing/loopback.ts'

/** A node that keeps the calls it gets. */
class Keeper {
  readonly calls: IncomingCall[] = []
  readonly loop = new Loopback((call) => this.calls.push(call))

  callable(name: string, kind?: number): Callable {
    return this.loop.callable(name, kind)
  }

  async arrived(count: number): Promise<void> {
    await expect.poll(() => this.calls.length, { timeout: 10_000, interval: 1 }).toBe(count)
  }

  [Symbol.dispose](): void {
    this.loop[Symbol.dispose]()
  }
}

describe('the limits of a target', () => {
  it('hold for calls that were not handed over yet', () => {
    using keeper = new Keeper()
    const { driver } = keeper.loop
    const callable = keeper.callable('keep')
    const { number } = callable.target
    driver.flow.limit(number, { maxPendingCalls: 5 })
    for (let index = 0; index < 5; index++) driver.call(callable, [index])
    expect(driver.flow.pending(number)).toMatchObject({ calls: 5, maxCalls: 5 })
    const before = driver.outbox.words[control.keepAlive]
    expect(() => driver.call(callable, [5])).toThrow(BackPressureError)
    expect(() => driver.openStream(callable, [5])).toThrow(BackPressureError)
    expect(driver.outbox.words[control.keepAlive]).toBe(before)
    expect(driver.flow.pending(number)).toMatchObject({ calls: 5, refused: 2 })
  })

  it('leave a first call time to become a stream', async () => {
    using keeper = new Keeper()
    const { driver } = keeper.loop
    const callable = keeper.callable('items')
    driver.flow.limit(callable.target.number, { maxPendingCalls: 2, whenFull: 'wait' })
    void driver.call(callable, [])[Symbol.asyncIterator]()
    await keeper.arrived(1)
    expect(keeper.calls[0]!.isStream).toBe(true)
  })

  it('tell of refs whose values are too large by the ref of the result', async () => {
    using keeper = new Keeper()
    const { driver } = keeper.loop
    const callable = keeper.callable('keep', ResultKind.value)
    driver.flow.limit(callable.target.number, { maxPendingBytes: 1_000_000 })
    const large = driver.put(new Uint8Array(900_000))
    const outcomes = [1, 2, 3, 4].map((index) => driver.call(callable, [large, index]))
    await expect(outcomes[2]!.get()).rejects.toThrow(BackPressureError)
    await expect(outcomes[3]!.get()).rejects.toThrow(BackPressureError)
    await keeper.arrived(2)
  })

  it('are over for a while once there is room', async () => {
    using keeper = new Keeper()
    const { driver } = keeper.loop
    const callable = keeper.callable('keep')
    const { number } = callable.target
    driver.flow.limit(number, { maxPendingCalls: 4 })
    const refs = [1, 2, 3, 4].map((index) => driver.call(callable, [index]))
    let hasRoom = false
    const room = driver.flow.room(number).then(() => (hasRoom = true))
    await keeper.arrived(4)
    keeper.calls[0]!.reply()
    await refs[0]
    expect(hasRoom).toBe(false)
    keeper.calls[1]!.reply()
    await room
    expect(driver.flow.pending(number).throttledMs).toBeGreaterThan(0)
  })

  it('end with the session', async () => {
    using keeper = new Keeper()
    const { driver } = keeper.loop
    const callable = keeper.callable('keep')
    driver.flow.limit(callable.target.number, { maxPendingCalls: 1 })
    driver.call(callable, [])
    const room = driver.flow.room(callable.target.number)
    driver.close()
    await expect(room).rejects.toThrow(SessionClosedError)
  })
})
