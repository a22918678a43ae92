import { describe, expect, it } from 'vitest'
import {
  get,
  ImportFailedError,
  InitInWorkerError,
  InvalidArgumentError,
  NotFoundError,
  RemoteError,
  typescript,
  wait,
} from '../src/index.ts'
import {
  countDown,
  fail,
  later,
  leave,
  nested,
  square,
  sumOfStream,
  whoRuns,
} from './fixtures/shapes.ts'
import { errorOf, withSession } from './session.ts'

const shapes = new URL('./fixtures/shapes.ts', import.meta.url).href

describe('tasks on one CPU', () => {
  withSession({ cpus: 1 })

  it('may wait for others, and for their items', async () => {
    expect(await nested(3)).toBe(6)
    expect(await sumOfStream(4)).toBe(10)
  })
})

describe('tasks', () => {
  withSession()

  it('run in a worker and return their result', async () => {
    expect(await square(7)).toBe(49)
    const { role, pid, isActor } = await whoRuns()
    expect({ role, isActor }).toEqual({ role: 'worker', isActor: false })
    expect(pid).not.toBe(process.pid)
  })

  it('take results of other tasks without waiting for them here', async () => {
    const first = square(3)
    expect(await square(first)).toBe(81)
    expect(await get([first, square(square(2))])).toEqual([9, 16])
  })

  it('are many at once', async () => {
    const refs = Array.from({ length: 2_000 }, (_, index) => square(index))
    expect(await get(refs)).toEqual(refs.map((_, index) => index * index))
  })

  it('hold up no others when they are long unexpectedly, though they only wait', async () => {
    // The worker has answered at once so often that many are sent to it together.
    await get(Array.from({ length: 500 }, () => later(0, 'short')))
    const order: string[] = []
    const refs = [later(1_500, 'long'), ...Array.from({ length: 200 }, () => later(0, 'short'))]
    await Promise.all(refs.map(async (ref) => order.push(await ref)))
    expect(order.indexOf('long')).toBe(200)
  })

  it('throw with stack and causes', async () => {
    const error = (await errorOf(fail('too far'))) as RemoteError
    expect(error).toBeInstanceOf(RemoteError)
    expect(error.message).toBe('RangeError: too far')
    const cause = error.cause as Error
    expect(cause.stack).toContain('shapes.ts')
    expect((cause.cause as Error).message).toBe('the deeper reason')
  })

  it('that depend on a failed one fail with its error', async () => {
    const error = (await errorOf(square(fail('first')))) as RemoteError
    expect(error.message).toBe('RangeError: first')
  })

  it('call tasks that call tasks, deeper than there are CPUs', async () => {
    expect(await nested(5)).toBe(15)
  })

  it('that are generators are streams', async () => {
    const items: number[] = []
    for await (const item of countDown(4)) items.push(item)
    expect(items).toEqual([4, 3, 2, 1])
  })

  it('are exported functions, by name', async () => {
    const double = typescript.task<(n: number) => number>(`${shapes}:double`)
    expect(await double(21)).toBe(42)
    const error = await errorOf(typescript.task(`${shapes}:dubble`)(1))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error.message).toMatch(/^no function dubble in .*; there is double, /)
  })

  it('of a module that does not exist name those that do', async () => {
    const error = await errorOf(typescript.task(`${shapes.replace('shapes', 'shape')}:x`)(1))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error.message).toContain('shapes.ts')
  })

  it('of a module that fails to import tell why, with its stack', async () => {
    const broken = shapes.replace('shapes.ts', 'broken.ts')
    const error = await errorOf(typescript.task(`${broken}:never`)())
    expect(error).toBeInstanceOf(ImportFailedError)
    expect(error.message).toContain('this module explodes')
    expect((error.cause as Error).stack).toContain('broken.ts')
    expect(await square(2)).toBe(4)
  })

  it('of a module that calls init() unguarded say so', async () => {
    const unguarded = shapes.replace('shapes.ts', 'unguarded.ts')
    const error = await errorOf(typescript.task(`${unguarded}:orphan`)())
    expect(error).toBeInstanceOf(InitInWorkerError)
    expect(error.message).toContain('import.meta.main')
  })

  it('are waited for', async () => {
    const fast = later(1, 'fast')
    const slow = later(60_000, 'slow')
    const { ready, pending } = await wait([slow, fast], { count: 1, timeoutMs: 10_000 })
    expect(ready).toEqual([fast])
    expect(pending).toEqual([slow])
    const none = await wait([slow], { timeoutMs: 5 })
    expect(none).toEqual({ ready: [], pending: [slow] })
    expect(() => wait([slow], { count: 2 })).toThrow(InvalidArgumentError)
    slow.dispose()
  })

  it('replace a thread that a task has ended', async () => {
    const error = await errorOf(leave(3))
    expect(error.name).toBe('WorkerDiedError')
    expect(await square(5)).toBe(25)
  })

  it('check their options', () => {
    expect(() => square.options({ resources: { cpu: -1 } })).toThrow(
      'options.resources.cpu: must be a number from 0',
    )
    expect(() => square.with({ timeout: 1 } as never)).toThrow(/options\.timeout: there is no such/)
    expect(() => typescript.task('nothing')).toThrow(InvalidArgumentError)
  })
})
