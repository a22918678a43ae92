import { describe, expect, it } from 'vitest'
import {
  ActorDiedError,
  type ActorHandle,
  ActorUnavailableError,
  getActor,
  kill,
  put,
  python,
} from '../src/index.ts'
import { Caller, Mortal, type MortalClass } from './fixtures/unsteady.ts'
import { fixtures, withScratch } from './scratch.ts'
import { errorOf, withSession } from './session.ts'

interface MortalApi {
  add(k: number): number
  pid(): number
  hang(): void
  die_until(path: string, last: number): number
}
interface RelayApi {
  keep(other: object): void
  add(k: number): number
  give(): ActorHandle<MortalClass>
}
const MortalInPython = python.actor<MortalApi, [start?: number]>('unsteady:Mortal')

describe('actors that are restarted', () => {
  withSession({ logToDriver: false, sysPath: [fixtures] })
  const scratch = withScratch()

  it('begin anew and are called by the same handle', async () => {
    await using mortal = await Mortal.options({ maxRestarts: 1 }).create(put(10))
    expect(await mortal.add(5)).toBe(15)
    const first = await mortal.life()
    expect(first).toMatchObject({ restartCount: 0, wasRestarted: false })
    const running = mortal.hang()
    await mortal.add(0)
    process.kill(first.pid, 'SIGKILL')
    expect(await errorOf(running)).toBeInstanceOf(ActorUnavailableError)
    expect(await mortal.add(1)).toBe(11)
    const second = await mortal.life()
    expect(second).toMatchObject({ restartCount: 1, wasRestarted: true })
    expect(second.pid).not.toBe(first.pid)
    const last = mortal.hang()
    process.kill(second.pid, 'SIGKILL')
    // Whether the actor comes back is not known at that moment.
    expect(await errorOf(last)).toBeInstanceOf(ActorUnavailableError)
    expect(await errorOf(mortal.add(1))).toBeInstanceOf(ActorDiedError)
  })

  it('may be in Python', async () => {
    await using mortal = await MortalInPython.options({ maxRestarts: 1 }).create(10)
    const pid = await mortal.pid()
    const running = mortal.hang()
    process.kill(pid, 'SIGKILL')
    expect(await errorOf(running)).toBeInstanceOf(ActorUnavailableError)
    expect(await mortal.add(1)).toBe(11)
    expect(await mortal.pid()).not.toBe(pid)
  })

  it('get calls again that have retries left', async () => {
    await using mortal = await Mortal.options({ maxRestarts: -1 }).create()
    expect(await mortal.dieUntil.with({ retries: 2 })(scratch(), 3)).toBe(3)
    const error = await errorOf(mortal.dieUntil.with({ retries: 1 })(scratch(), 3))
    expect(error).toBeInstanceOf(ActorUnavailableError)
    await using steady = await MortalInPython.options({ maxRestarts: 5, retries: 5 }).create()
    expect(await steady.die_until(scratch(), 3)).toBe(3)
  })

  it('are reached by handles that travelled, and by name', async () => {
    await using mortal = await Mortal.options({ maxRestarts: 3, name: 'mortal' }).create(1)
    await using caller = await Caller.create()
    await caller.keep(mortal)
    expect(await caller.add(1)).toBe(2)
    const found = await getActor<MortalClass>('mortal', { retries: 1 })
    expect(await found.add(1)).toBe(3)
    process.kill((await mortal.life()).pid, 'SIGKILL')
    expect(await found.dieUntil(scratch(), 1)).toBe(1)
    await expect.poll(() => mortal.life(), { timeout: 20_000 }).toMatchObject({ restartCount: 1 })
    expect(await caller.add(1)).toBe(2)
    expect(await found.add(1)).toBe(3)
  })

  it('are reached by handles that came through Python', async () => {
    await using mortal = await Mortal.options({ maxRestarts: 1 }).create(1)
    await using relay = await python.actor<RelayApi>('unsteady:Relay').create()
    await relay.keep(mortal)
    expect(await relay.add(1)).toBe(2)
    const running = mortal.hang()
    process.kill((await mortal.life()).pid, 'SIGKILL')
    expect(await errorOf(running)).toBeInstanceOf(ActorUnavailableError)
    expect(await mortal.add(1)).toBe(2)
    expect(await relay.add(1)).toBe(3)
    const back = await relay.give()
    expect(await back.life()).toMatchObject({ restartCount: 1 })
  })

  it('are gone for good when they are killed or not to be restarted', async () => {
    const mortal = await Mortal.options({ maxRestarts: 3 }).create()
    await kill(mortal)
    expect(await errorOf(mortal.add(1))).toBeInstanceOf(ActorDiedError)
    const once: ActorHandle<MortalClass> = await Mortal.create()
    process.kill((await once.life()).pid, 'SIGKILL')
    expect(await errorOf(once.hang())).toBeInstanceOf(ActorDiedError)
  })
})
