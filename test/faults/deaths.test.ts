// Workers that end while nobody expects it: typed errors that name the cause, and a session that goes on.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ActorHandle, type AnyApi, wait } from 'thornback'
import { isRunning } from './support/program.ts'
import { type Callee, callees, errorOf, withSession } from './support/session.ts'

withSession({ logToDriver: false })
const folder = mkdtempSync(join(tmpdir(), 'faults-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

/** Resolves to the process id that a call of `hold` has written. */
async function held(file: string): Promise<number> {
  await expect
    .poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 20_000 })
    .toMatch(/^\d+$/)
  return Number(readFileSync(file, 'utf8'))
}

/** Kills a process and waits until it is gone. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false)
}

function newFile(): string {
  return join(folder, String(files++))
}

function create({ language, module }: Callee): Promise<ActorHandle<AnyApi>> {
  return language.actor(`${module('things')}:Thing`).create()
}

/** Everything that is told to a caller whose actor's process is gone. */
async function expectDead(
  actor: ActorHandle<AnyApi>,
  pending: unknown,
  cause: RegExp,
): Promise<void> {
  const error = await errorOf(() => pending)
  expect(error).toMatchObject({ code: 'ACTOR_DIED', fault: 'peer' })
  expect(error.message).toMatch(cause)
  const later = await errorOf(() => actor.pid!())
  expect(later).toMatchObject({ code: 'ACTOR_DIED' })
}

describe.each(callees)('an actor in $name', (callee) => {
  test('killed before its first call', async () => {
    const victim = await create(callee)
    const other = await create(callee)
    await kill((await victim.pid!()) as number)
    await expectDead(victim, victim.echo!('lost'), /signal (9|SIGKILL)/)
    expect(await other.echo!('alive')).toBe('alive')
  })

  test('killed during a call', async () => {
    const actor = await create(callee)
    const file = newFile()
    const pending = actor.hold!(file)
    process.kill(await held(file), 'SIGKILL')
    await expectDead(actor, pending, /signal (9|SIGKILL)/)
  })

  test('killed after a call: the result that was got stays, and so does a large one', async () => {
    const actor = await create(callee)
    const values = (await actor.big!(10_000)) as Float64Array
    const sum = values.reduce((total, each) => total + each, 0)
    await kill((await actor.pid!()) as number)
    await expectDead(actor, actor.echo!(1), /signal (9|SIGKILL)/)
    expect(sum).toBe(10_000)
    expect(values.reduce((total, each) => total + each, 0)).toBe(10_000)
  })

  test('killed in the middle of a stream: the items that came stay, then an error', async () => {
    const actor = await create(callee)
    const pid = (await actor.pid!()) as number
    const stream = actor.count!.stream(1_000_000)
    const items: unknown[] = []
    const error = await errorOf(async () => {
      for await (const item of stream) {
        items.push(item)
        if (items.length === 3) process.kill(pid, 'SIGKILL')
      }
    })
    expect(error).toMatchObject({ code: 'ACTOR_DIED' })
    expect(items.slice(0, 3)).toEqual([0, 1, 2])
    expect(items).toEqual(items.map((_, index) => index))
  })

  test('that leaves by its exit function', async () => {
    const actor = await create(callee)
    await expectDead(actor, actor.leave!('exit'), /(code|status) 3/)
  })

  test('that aborts', async () => {
    const actor = await create(callee)
    await expectDead(actor, actor.leave!('SIGABRT'), /signal (6|SIGABRT)/)
  })
})

test('a segmentation fault in a Python actor', async () => {
  const actor = await create(callees[1]!)
  await expectDead(actor, actor.leave!('segfault'), /signal (11|SIGSEGV)/)
})

test.each(['throwLater', 'rejectLater'])(
  'an uncaught error in a TypeScript actor: %s',
  async (method) => {
    const actor = await create(callees[0]!)
    await expectDead(actor, actor[method]!(), /(code|status) 1/)
  },
)

describe.each(callees)('a task in $name', (callee) => {
  const { language, module } = callee
  const task = (name: string) => language.task(`${module('things')}:${name}`)

  test('whose process is killed', async () => {
    const file = newFile()
    const pending = task('hold').with({ retries: 0 })(file)
    process.kill(await held(file), 'SIGKILL')
    const error = await errorOf(() => pending)
    expect(error).toMatchObject({ code: 'WORKER_DIED', retryable: true, fault: 'peer' })
    expect(await task('echo')('next')).toBe('next')
  })

  test('that leaves by its exit function', async () => {
    const error = await errorOf(() => task('leave').with({ retries: 1 })('exit'))
    expect(error).toMatchObject({ code: 'WORKER_DIED' })
    expect(await task('echo')('next')).toBe('next')
  })

  test('whose result lies in a process that is killed: the error is typed, nothing hangs', async () => {
    const actor = await create(callee)
    const ref = actor.big!(10_000)
    await wait([ref])
    await kill((await actor.pid!()) as number)
    // The bytes were in the arena of the dead. They are there as long as somebody maps them, or they are lost.
    const value: unknown = await Promise.resolve(ref).catch(
      (error: Error & { code?: string }) => error,
    )
    if (value instanceof Error) expect(value).toMatchObject({ code: 'OBJECT_LOST' })
    else expect(value).toHaveLength(10_000)
  })
})

test('a segmentation fault in a Python task', async () => {
  const { language, module } = callees[1]!
  const error = await errorOf(() => language.task(`${module('things')}:leave`)('segfault'))
  expect(error).toMatchObject({ code: 'WORKER_DIED' })
  expect(error.message).toMatch(/signal (11|SIGSEGV)/)
})
