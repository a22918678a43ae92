// Streams whose consumers die or leave, and producers that do not listen.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { cancel, kill, type ObjectStream } from 'thornback'
import { callees, errorOf, withSession } from './support/session.ts'

const folder = mkdtempSync(join(tmpdir(), 'faults-'))
afterAll(() => rmSync(folder, { recursive: true }))
const waiting = { timeout: 15_000, interval: 10 }
const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')

withSession({ logToDriver: false, cpus: 2 })

describe.each(callees)('a producer in $name', (producing) => {
  const create = () => producing.language.actor(`${producing.module('lives')}:Producer`).create()

  test.each(callees)(
    'is told when its consumer in $name dies, and nothing leaks',
    async (reading) => {
      const path = join(folder, `${producing.name} ${reading.name}`)
      const producer = await create()
      const reader = await reading.language.actor(`${reading.module('lives')}:Reader`).create()
      const pid = (await reader.pid!()) as number
      const pending = reader.read!(producer, path)
      await expect.poll(() => textOf(path).length, waiting).toBeGreaterThan(10)
      process.kill(pid, 'SIGKILL')
      expect(await errorOf(() => pending)).toMatchObject({ code: 'ACTOR_DIED' })
      await expect.poll(() => textOf(`${path}.producer`), waiting).toBe('ended')
      await expect.poll(() => producer.objects!(), waiting).toBe(0)
      expect(textOf(path)).toMatch(/^1+$/)
      await kill(producer)
    },
  )

  test('that goes on when it is told to end is read no further, and others are served', async () => {
    const path = join(folder, `${producing.name} stubborn`)
    const producer = await create()
    const stream = producer.stubborn!.stream(path)
    const items: unknown[] = []
    for await (const item of stream) {
      items.push(item)
      if (items.length === 3) break
    }
    expect(items).toEqual([0, 1, 2])
    expect(await stream.next()).toEqual({ value: undefined, done: true })
    await expect.poll(() => textOf(path), waiting).toMatch(/^(told)+$/)
    expect(await producer.objects!()).toBe(0)
    await kill(producer)
  })

  test('is iterated once: a second time there is nothing', async () => {
    const producer = await create()
    const stream = producer.few!.stream(3) as ObjectStream<number>
    const first: number[] = []
    for await (const item of stream) first.push(item)
    const second: number[] = []
    for await (const item of stream) second.push(item)
    expect([first, second]).toEqual([[0, 1, 2], []])
    // What was left is not taken up again, either.
    const left = producer.few!.stream(3) as ObjectStream<number>
    for await (const item of left) {
      expect(item).toBe(0)
      break
    }
    for await (const item of left) expect(item).toBe('nothing')
    await kill(producer)
  })
})

describe.each(callees)('a storm of cancellations in $name', ({ name, language, module }) => {
  const count = 1_000
  const method = async () => {
    const actor = await language.actor(`${module('lives')}:Napper`).create()
    return { actor, nap: (n: number, payload: unknown) => actor.nap!(n, payload) }
  }

  test('each call has one outcome, and what it held is free', async () => {
    const { currentSession } = await import('../../workers/typescript/src/sdk/session.ts')
    const stats = () => currentSession('a test').endpoint.stats
    const { actor, nap } = await method()
    await nap(0, new Float64Array(1))
    const before = stats()
    const outcomes = { value: 0, cancelled: 0 }
    const payload = new Float64Array(200).fill(1)
    const calls = Array.from({ length: count }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 500))
      const ref = nap(n, payload)
      setTimeout(() => cancel(ref), Math.random() * 6)
      try {
        expect(await ref).toBe(n)
        outcomes.value++
      } catch (error) {
        expect(error, name).toMatchObject({ code: 'CANCELLED' })
        outcomes.cancelled++
      }
      // It stays so.
      const again = await Promise.resolve(ref).then(
        () => 'value',
        (error: { code: string }) => error.code,
      )
      expect(['value', 'CANCELLED']).toContain(again)
      ref.dispose()
    })
    await Promise.all(calls)
    expect(outcomes.value + outcomes.cancelled).toBe(count)
    expect(outcomes.value).toBeGreaterThan(0)
    expect(outcomes.cancelled).toBeGreaterThan(0)
    await expect.poll(() => stats().objectsLive, waiting).toBe(before.objectsLive)
    // Refs are reserved in blocks.
    await expect.poll(() => stats().refsLive, waiting).toBeLessThanOrEqual(before.refsLive + 512)
    await expect.poll(() => actor.objects!(), waiting).toBe(0)
    expect(await nap(7, payload)).toBe(7)
    await kill(actor)
  })
})
