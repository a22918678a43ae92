import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cancel, CancelledError, InvalidArgumentError } from '../src/index.ts'
import { square } from './fixtures/shapes.ts'
import {
  askWhetherCancelled,
  parentOf,
  remaining,
  remainingOfChild,
  spinForever,
} from './fixtures/unsteady.ts'
import { withScratch } from './scratch.ts'
import { errorOf, withSession, wrong } from './session.ts'

const waiting = { timeout: 20_000, interval: 5 }

describe('cancelling', () => {
  withSession({ logToDriver: false, cpus: 4 })
  const scratch = withScratch()
  const textOf = (path: string) => (): string =>
    existsSync(path) ? readFileSync(path, 'utf8') : 'not there'

  it('ends what the call has called', async () => {
    const path = scratch()
    const ref = parentOf(path)
    await expect.poll(textOf(path), waiting).toBe('started')
    cancel(ref)
    await expect.poll(textOf(path), waiting).toBe('cancelled')
    await ref.get().catch(() => undefined)
  })

  it('by a signal does so as well', async () => {
    const path = scratch()
    const controller = new AbortController()
    const ref = parentOf.with({ signal: controller.signal })(path)
    await expect.poll(textOf(path), waiting).toBe('started')
    controller.abort(new Error('enough'))
    const error = await errorOf(ref)
    expect(error).toBeInstanceOf(CancelledError)
    expect((error.cause as Error).message).toBe('enough')
    await expect.poll(textOf(path), waiting).toBe('cancelled')
  })

  it('leaves what the call has called alone if told so', async () => {
    const path = scratch()
    const ref = parentOf(path)
    await expect.poll(textOf(path), waiting).toBe('started')
    cancel(ref, { recursive: false })
    writeFileSync(path, 'release')
    expect(await ref).toBe('released')
  })

  it('is noticed by code that never awaits', async () => {
    const path = scratch()
    const ref = askWhetherCancelled(path)
    await expect.poll(textOf(path), waiting).toBe('started')
    cancel(ref)
    expect(await ref).toBe('noticed')
  })

  it('by force ends a task that does not listen', async () => {
    const path = scratch()
    const ref = spinForever(path)
    await expect.poll(textOf(path), waiting).toBe('started')
    cancel(ref, { force: true })
    expect(await errorOf(ref)).toBeInstanceOf(CancelledError)
    expect(await square(3)).toBe(9)
  })

  it('checks its options', () => {
    const ref = square(1)
    expect(() => cancel(ref, wrong({ force: 1 }))).toThrow(/^options\.force: /)
    expect(() => cancel(ref, wrong({ forced: true }))).toThrow(InvalidArgumentError)
  })

  it('happens to calls inside a call when its time is over: they have no more than it', async () => {
    expect(await remaining()).toBe(Infinity)
    const left = await remainingOfChild.with({ timeoutMs: 30_000 })()
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(30_000)
  })
})
