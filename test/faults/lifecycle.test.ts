// init() and shutdown(): out of order, twice, and many times in a row.

import { afterEach, describe, expect, test } from 'vitest'
import { type Cluster, init, put, python, typescript } from 'thornback'
import { Program, sharedMemoryNames } from './support/program.ts'
import { errorOf, options } from './support/session.ts'

/** THORNBACK_LONG_TESTS=1 runs a thousand. */
const isLong = process.env['THORNBACK_LONG_TESTS'] !== undefined
const cycles = isLong ? 1_000 : 20
const bare = { ...options, prestart: { python: 0, typescript: 0 } }

describe('out of order', () => {
  let cluster: Cluster | undefined
  afterEach(() => cluster?.shutdown())
  const pid = typescript.task('./things.ts:pid')

  test('calls before init()', async () => {
    for (const operation of [
      () => pid(),
      () => put(1),
      () => python.actor('things:Thing').create(),
    ]) {
      expect(await errorOf(operation)).toMatchObject({ code: 'NOT_INITIALISED' })
    }
  })

  test('init() twice, also while the first is not done', async () => {
    const first = init(bare)
    expect(await errorOf(() => init(bare))).toMatchObject({ code: 'ALREADY_INITIALISED' })
    cluster = await first
    expect(await errorOf(() => init(bare))).toMatchObject({ code: 'ALREADY_INITIALISED' })
    // The session is not harmed.
    expect(cluster.isOpen).toBe(true)
    expect(await put('value')).toBe('value')
  })

  test('calls after shutdown(), and to what is left of the session', async () => {
    cluster = await init(bare)
    const actor = await typescript.actor('./things.ts:Thing').create()
    const kept = put(new Float64Array(1_000))
    const pending = actor.hold!('/dev/null')
    const ending = errorOf(() => pending)
    await cluster.shutdown()
    expect(await ending).toMatchObject({ code: 'SESSION_CLOSED' })
    for (const operation of [() => pid(), () => put(1), () => actor.pid!(), () => kept]) {
      expect(await errorOf(operation)).toMatchObject({ code: 'SESSION_CLOSED' })
    }
    // A second time it has nothing to do; a new session can begin.
    await cluster.shutdown()
    cluster = await init(bare)
    expect(await pid()).toEqual(expect.any(Number))
    expect(await errorOf(() => actor.pid!())).toMatchObject({ code: 'SESSION_CLOSED' })
  })

  test('init() with an address where no session is', async () => {
    const error = await errorOf(() => init({ address: '/nonexistent/hub.sock' }))
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED' })
    expect(error.message).toContain('/nonexistent/hub.sock')
  })

  test('init() with a wrong option', async () => {
    const error = await errorOf(() => init({ cpus: -1 }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(error.message).toContain('options.cpus')
  })
})

describe(`${cycles} sessions in a row`, { timeout: isLong ? 1_800_000 : 60_000 }, () => {
  const args = [String(cycles), '10']

  test.each([
    ['TypeScript', () => Program.typescript('cycle.ts', { args, unlimited: isLong })],
    ['Python', () => Program.python('cycle.py', { args, unlimited: isLong })],
  ])('of a %s driver leave nothing behind', async (_language, start) => {
    const names = sharedMemoryNames()
    using program = start()
    const { status, stdout, stderr } = await program.ended
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const { before, after } = JSON.parse(stdout.replace(/^resources /, '')) as Record<
      string,
      unknown
    >
    expect(after).toEqual(before)
    expect(program.processes()).toEqual([])
    expect(program.sessions()).toEqual([])
    expect(sharedMemoryNames()).toEqual(names)
  })
})
