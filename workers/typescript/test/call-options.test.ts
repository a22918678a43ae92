import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, put, python, RemoteError, WorkerDiedError } from '../src/index.ts'
import { later } from './fixtures/shapes.ts'
import {
  dieUntil,
  note,
  occupy,
  type Slow,
  SlowActor,
  throwUntil,
  untilCancelled,
} from './fixtures/unsteady.ts'
import { fixtures, withScratch } from './scratch.ts'
import { errorOf, withSession, wrong } from './session.ts'

type Attempts = (path: string, last: number) => number
interface SlowPython {
  ping(): number
  after(value: unknown, name: string): string
  throw_until: Attempts
}
const dieInPython = python.task<Attempts>('unsteady:die_until')
const throwInPython = python.task<Attempts>('unsteady:throw_until')

describe('retries', () => {
  withSession({ logToDriver: false, sysPath: [fixtures] })
  const scratch = withScratch()

  it.each([
    ['TypeScript', dieUntil],
    ['Python', dieInPython],
  ])('of tasks survive three deaths of workers by default (%s)', async (_, die) => {
    expect(await die(scratch(), 4)).toBe(4)
    expect(await errorOf(die(scratch(), 5))).toBeInstanceOf(WorkerDiedError)
  })

  it('of tasks can be switched off, for one call and for all', async () => {
    const path = scratch()
    expect(await errorOf(dieUntil.with({ retries: 0 })(path, 2))).toBeInstanceOf(WorkerDiedError)
    expect(readFileSync(path, 'utf8')).toBe('.')
    const once = dieUntil.options({ retries: 0 })
    expect(await errorOf(once(scratch(), 2))).toBeInstanceOf(WorkerDiedError)
    expect(await once.with({ retries: 1 })(scratch(), 2)).toBe(2)
  })

  it.each([
    ['TypeScript', throwUntil, RangeError],
    ['Python', throwInPython, 'ValueError'],
  ])('of errors are for those that are named (%s)', async (_, task, name) => {
    expect(await errorOf(task(scratch(), 2))).toBeInstanceOf(RemoteError)
    expect(await task.with({ retryOn: true })(scratch(), 4)).toBe(4)
    expect(await task.with({ retryOn: ['KeyError', name] })(scratch(), 3)).toBe(3)
    const path = scratch()
    expect(await errorOf(task.with({ retryOn: [TypeError] })(path, 2))).toBeInstanceOf(RemoteError)
    expect(readFileSync(path, 'utf8')).toBe('.')
    const error = await errorOf(task.with({ retryOn: true, retries: 1 })(scratch(), 3))
    expect(error.message).toContain('attempt 2')
  })

  it('wait between attempts', async () => {
    const start = performance.now()
    const patient = throwUntil.with({ retryOn: true, retryDelayMs: 40 })
    expect(await patient(scratch(), 3)).toBe(3)
    // 40 and 80 ms, each up to a quarter less.
    expect(performance.now() - start).toBeGreaterThan(88)
  })

  it('of methods are none unless they are asked for', async () => {
    await using slow = await SlowActor.create()
    expect(await errorOf(slow.throwUntil(scratch(), 2))).toBeInstanceOf(RemoteError)
    expect(await slow.throwUntil.with({ retries: 1, retryOn: true })(scratch(), 2)).toBe(2)
    await using steady = await SlowActor.options({ retries: 2, retryOn: [RangeError] }).create()
    expect(await steady.throwUntil(scratch(), 3)).toBe(3)
    await using there = await python.actor<SlowPython>('unsteady:Slow').create()
    const retried = there.throw_until.with({ retries: 1, retryOn: ['ValueError'] })
    expect(await retried(scratch(), 2)).toBe(2)
  })
})

describe('the order of calls', () => {
  withSession({ cpus: 1, sysPath: [fixtures] })
  const scratch = withScratch()

  it('of tasks that wait follows their priority', async () => {
    const [gate, path] = [scratch(), scratch()]
    const first = occupy(gate)
    const rest = [
      note.with({ priority: -1 })(path, 'c'),
      note(path, 'b'),
      note.options({ priority: 5 })(path, 'a'),
    ]
    writeFileSync(gate, '')
    await Promise.all([first, ...rest])
    expect(readFileSync(path, 'utf8')).toBe('abc')
  })

  it('of tasks of one function, too, however many are queued', async () => {
    const [gate, path] = [scratch(), scratch()]
    const first = untilCancelled(gate)
    const isStarted = (): boolean => existsSync(gate) && readFileSync(gate, 'utf8') === 'started'
    while (!isStarted()) await new Promise(setImmediate)
    const rest = Array.from({ length: 20 }, () => note(path, '.'))
    rest.push(note.with({ priority: 1 })(path, 'b'), note.options({ priority: 5 })(path, 'a'))
    // Calls are handed over when the event loop turns.
    await new Promise(setImmediate)
    writeFileSync(gate, 'release')
    await Promise.all([first, ...rest])
    expect(readFileSync(path, 'utf8')).toBe(`ab${'.'.repeat(20)}`)
  })

  it.each([
    ['TypeScript', () => SlowActor.create()],
    ['Python', () => python.actor<Pick<Slow, 'after' | 'ping'>>('unsteady:Slow').create()],
  ])('of methods is theirs, unless they say it need not be (%s)', async (_, create) => {
    await using actor = await create()
    const finished: string[] = []
    const call = (value: unknown, name: string, inOrder: boolean): PromiseLike<unknown> =>
      actor.after
        .with({ inOrder })(value, name)
        .then((each) => finished.push(each))
    await actor.ping()
    const gate = scratch()
    const late = occupy(gate)
    const both = [call(late, 'waits', false), call(1, 'overtakes', false)]
    await both[1]
    writeFileSync(gate, '')
    await Promise.all(both)
    expect(finished).toEqual(['overtakes', 'waits'])
    finished.length = 0
    await Promise.all([call(later(5, 'x'), 'first', true), call(put(1), 'second', true)])
    expect(finished).toEqual(['first', 'second'])
  })
})

describe('options of calls', () => {
  const refused: [path: string, options: object][] = [
    ['options.retries', { retries: -1 }],
    ['options.retries', { retries: 1.5 }],
    ['options.retries', { retries: 1e12 }],
    ['options.retries', { retries: '3' }],
    ['options.retryOn', { retryOn: 'ValueError' }],
    ['options.retryOn[1]', { retryOn: ['ValueError', 5] }],
    ['options.retryOn[0]', { retryOn: ['two words'] }],
    ['options.retryOn', { retryOn: Array.from({ length: 1_000 }, (_, i) => `Error${i}`) }],
    ['options.retryDelayMs', { retryDelayMs: -1 }],
    ['options.retryDelayMs', { retryDelayMs: Number.NaN }],
    ['options.priority', { priority: 2 ** 31 }],
    ['options.priority', { priority: 0.5 }],
    ['options.group', { group: 'no groups for tasks' }],
    ['options.maxPendingCalls', { maxPendingCalls: 0 }],
    ['options.maxPendingBytes', { maxPendingBytes: 1e3 + 0.5 }],
    ['options.whenFull', { whenFull: 'drop' }],
  ]
  it.each(refused)('of tasks are checked: %s', (path, options) => {
    expect(() => throwUntil.options(wrong(options))).toThrow(InvalidArgumentError)
    expect(() => throwUntil.with(wrong(options))).toThrow(new RegExp(`^${escape(path)}: `))
  })

  const refusedForActors: [path: string, options: object][] = [
    ['options.priority', { priority: 1 }],
    ['options.maxConcurrency', { maxConcurrency: 0 }],
    ['options.maxRestarts', { maxRestarts: -2 }],
    ['options.maxRestarts', { maxRestarts: 0.5 }],
    ['options.concurrencyGroups', { concurrencyGroups: ['ping'] }],
    ['options.concurrencyGroups.a.limit', { concurrencyGroups: { a: { methods: ['ping'] } } }],
    ['options.concurrencyGroups.a.limit', { concurrencyGroups: { a: { limit: 0 } } }],
    ['options.concurrencyGroups.a.methods', { concurrencyGroups: { a: { limit: 1, methods: 1 } } }],
    ['options.concurrencyGroups.a.max', { concurrencyGroups: { a: { limit: 1, max: 1 } } }],
    [
      'options.concurrencyGroups.b.methods',
      { concurrencyGroups: { a: { limit: 1, methods: ['x'] }, b: { limit: 1, methods: ['x'] } } },
    ],
    ['options.inOrder', { inOrder: 1 }],
  ]
  it.each(refusedForActors)('of actors are checked: %s', (path, options) => {
    expect(() => SlowActor.options(wrong(options))).toThrow(new RegExp(`^${escape(path)}: `))
  })

  function escape(path: string): string {
    return path.replace(/[.[\]]/g, '\\$&')
  }
})
