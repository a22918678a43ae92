// Names that do not exist, modules that cannot be imported, arguments that do not fit: a typed error that says what exists,
// and a worker that lives on.

import { beforeAll, describe, expect, test } from 'vitest'
import { type ActorHandle, type AnyApi } from 'thornback'
import { callees, errorOf, withSession } from './support/session.ts'

withSession()

describe.each(callees)('in $name', ({ name, language, module }) => {
  const pid = language.task<() => number>(`${module('things')}:pid`)
  let before: number
  let actor: ActorHandle<AnyApi>

  beforeAll(async () => {
    before = await pid()
    actor = await language.actor(`${module('things')}:Thing`).create()
  })

  /** The only task worker of this language is still the one it was. */
  async function livesOn(): Promise<void> {
    expect(await pid()).toBe(before)
  }

  test('a missing module of a task', async () => {
    const missing = module('thimgs')
    const error = await errorOf(() => language.task(`${missing}:pid`)())
    expect(error).toMatchObject({ code: 'NOT_FOUND' })
    expect(error.message).toContain(missing)
    // What exists: the files beside it, or the folders that were searched.
    expect(error.message).toContain(name === 'python' ? 'test/faults/fixtures' : 'things.ts')
    await livesOn()
  })

  test('a missing module of an actor', async () => {
    const error = await errorOf(() => language.actor(`${module('thimgs')}:Thing`).create())
    expect(error).toMatchObject({ code: 'ACTOR_CREATION_FAILED', cause: { name: 'NotFoundError' } })
    expect(error.message).toContain(module('thimgs'))
    await livesOn()
  })

  test('a missing function', async () => {
    const error = await errorOf(() => language.task(`${module('things')}:ecko`)(1))
    expect(error).toMatchObject({ code: 'NOT_FOUND' })
    expect(error.message).toMatch(/ecko.*\becho\b/s)
    await livesOn()
  })

  test('a missing class', async () => {
    const error = await errorOf(() => language.actor(`${module('things')}:Thong`).create())
    expect(error).toMatchObject({ code: 'ACTOR_CREATION_FAILED', cause: { name: 'NotFoundError' } })
    expect(error.message).toMatch(/Thong.*\bThing\b/s)
    await livesOn()
  })

  test('a missing method', async () => {
    const before: unknown = await actor.pid!()
    const error = await errorOf(() => actor.pidd!())
    expect(error).toMatchObject({ code: 'NOT_FOUND' })
    expect(error.message).toMatch(/pidd.*\bpid\b/s)
    expect(await actor.pid!()).toBe(before)
  })

  /** The full traceback: the module's own frames, down to the function that raised. */
  function expectTraceback(cause: unknown): void {
    const { name: type, stack, cause: deeper } = cause as Error
    expect(type).toBe(name === 'python' ? 'ValueError' : 'RangeError')
    expect(stack).toMatch(/broken\.(ts|py)/)
    expect(stack).toContain('explode')
    expect((deeper as Error).message).toBe('the deeper reason')
  }

  test('a module that raises, of a task', async () => {
    const error = await errorOf(() => language.task(`${module('broken')}:never`)())
    expect(error).toMatchObject({ code: 'IMPORT_FAILED' })
    expect(error.message).toContain('this module explodes')
    expectTraceback(error.cause)
    await livesOn()
  })

  test('a module that raises, of an actor', async () => {
    const error = await errorOf(() => language.actor(`${module('broken')}:Never`).create())
    expect(error).toMatchObject({
      code: 'ACTOR_CREATION_FAILED',
      cause: { name: 'ImportFailedError' },
    })
    expect(error.message).toContain('this module explodes')
    expectTraceback((error.cause as Error).cause)
    await livesOn()
  })
})

describe('wrong arguments of a Python function', () => {
  const [, { language, module }] = callees as [unknown, (typeof callees)[1]]
  const pair = language.task<(...values: number[]) => number[]>(`${module('things')}:pair`)

  test.each([[[]], [[1, 2, 3]]])('%j', async (values) => {
    const error = await errorOf(() => pair(...values))
    expect(error).toMatchObject({ code: 'TYPE_MISMATCH' })
    expect(error.message).toMatch(/^pair\(.*\): (missing a required argument|too many positional)/)
    expect(await pair(1)).toEqual([1, 2])
  })

  test('of a constructor', async () => {
    const error = await errorOf(async () => {
      await using actor = await language.actor(`${module('things')}:Thing`).create(1, 2, 3)
      return await actor.start!()
    })
    expect(error).toMatchObject({ code: 'ACTOR_CREATION_FAILED' })
    expect(`${error.message} ${(error.cause as Error | undefined)?.message}`).toContain(
      'Thing(start=0): too many positional',
    )
  })
})
