import { describe, expect, it } from 'vitest'
import { ActorDiedError, kill } from '../src/index.ts'
import { Counter, square, Values } from './fixtures/shapes.ts'
import { errorOf, withSession } from './session.ts'

describe('actors that end', () => {
  withSession({ logToDriver: false })

  it('by kill fail what is pending and what comes later', async () => {
    const values = await Values.create()
    const pending = values.untilCancelled()
    await values.list()
    await kill(values)
    expect(await errorOf(pending)).toBeInstanceOf(ActorDiedError)
    expect(await errorOf(values.list())).toBeInstanceOf(ActorDiedError)
  })

  it('by process.exit() tell the status', async () => {
    const values = await Values.create()
    const error = await errorOf(values.exit(3))
    expect(error).toBeInstanceOf(ActorDiedError)
    expect(error.message).toContain('3')
  })

  it('by an uncaught error are gone, nobody else', async () => {
    const values = await Values.create()
    const other = await Counter.create(1)
    const pending = values.untilCancelled()
    await values.crashLater()
    expect(await errorOf(pending)).toBeInstanceOf(ActorDiedError)
    expect(await other.add(1)).toBe(2)
    expect(await square(3)).toBe(9)
  })

  it('by SIGKILL, before, during and after a call', async () => {
    const idle = await Values.create()
    process.kill(await idle.pid(), 'SIGKILL')
    expect(await errorOf(idle.untilCancelled())).toBeInstanceOf(ActorDiedError)
    const busy = await Values.create()
    const pid = await busy.pid()
    const running = busy.spin(60_000)
    const queued = busy.list()
    process.kill(pid, 'SIGKILL')
    expect(await errorOf(running)).toBeInstanceOf(ActorDiedError)
    expect(await errorOf(queued)).toBeInstanceOf(ActorDiedError)
  })

  it('leave streams that fail', async () => {
    const values = await Values.create()
    const stream = values.slowItems(1_000, 1)
    expect((await stream.next()).value).toEqual({ index: 0 })
    await kill(values)
    const rest = (async () => {
      for await (const _item of stream);
    })()
    expect(await errorOf(rest)).toBeInstanceOf(ActorDiedError)
  })

  it('leave results that were received before', async () => {
    const values = await Values.create()
    const zeros = await values.zeros(1 << 20)
    await kill(values)
    expect(zeros.length).toBe(1 << 20)
    expect(zeros.every((item) => item === 0)).toBe(true)
  })

  it('by disposal finish what they have begun', async () => {
    const counter = await Counter.create()
    const last = counter.add(5)
    await counter[Symbol.asyncDispose]()
    expect(await last).toBe(5)
    expect(await errorOf(counter.get())).toBeInstanceOf(ActorDiedError)
  })
})
