import { describe, expect, it } from 'vitest'
import type { IncomingCall } from '../runtime/incoming-call.ts'
import { Limiter } from './limiter.ts'

interface FakeCall {
  readonly name: string
  failure: unknown
  onCancel: (() => void) | null
  onReplied: (() => void) | null
  readonly function: string
  fail(error: unknown): void
}

function fakeCall(name: string): FakeCall & IncomingCall {
  const call: FakeCall = {
    name,
    failure: undefined,
    onCancel: null,
    onReplied: null,
    function: `method::${name}`,
    fail(error) {
      call.failure = error
    },
  }
  return call as FakeCall & IncomingCall
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('Limiter', () => {
  it('starts so many at once, the others in order as places become free', async () => {
    const started: string[] = []
    const limiter = new Limiter(2)
    const calls = ['a', 'b', 'c', 'd'].map((name) => fakeCall(name))
    for (const call of calls)
      limiter.add(call, (each) => started.push((each as never as FakeCall).name))
    expect(started).toEqual(['a', 'b'])
    calls[1]!.onReplied!()
    await turn()
    expect(started).toEqual(['a', 'b', 'c'])
    calls[0]!.onReplied!()
    calls[2]!.onReplied!()
    await turn()
    expect(started).toEqual(['a', 'b', 'c', 'd'])
    expect(limiter.running).toBe(1)
  })

  it('drops a waiting call that is cancelled, and lets a running one go on', async () => {
    const started: string[] = []
    const limiter = new Limiter(1)
    const [first, second, third] = [fakeCall('a'), fakeCall('b'), fakeCall('c')]
    for (const call of [first, second, third]) {
      limiter.add(call, (each) => started.push((each as never as FakeCall).name))
    }
    expect(first.onCancel).toBeNull()
    second.onCancel!()
    expect(String(second.failure)).toContain('b was cancelled')
    first.onReplied!()
    await turn()
    expect(started).toEqual(['a', 'c'])
  })

  it('gives the place of a call that waits to the next', async () => {
    const started: string[] = []
    const limiter = new Limiter(1)
    const [first, second] = [fakeCall('a'), fakeCall('b')]
    for (const call of [first, second]) {
      limiter.add(call, (each) => started.push((each as never as FakeCall).name))
    }
    limiter.giveWay()
    expect(started).toEqual(['a', 'b'])
    limiter.resume()
    expect(limiter.running).toBe(2)
  })
})
