// Limits and options that make no sense are refused where they are given, by their path, and nothing happens.

import { describe, expect, test } from 'vitest'
import { cancel, getActor, init, kill, type ObjectRef, pending, room, wait } from 'thornback'
import { callees, errorOf, withSession } from './support/session.ts'

const { language, module } = callees[1]!
const absurd = [-1, 0, 0.5, NaN, Infinity, 1e308, '10', null, {}]

async function expectRefused(run: () => unknown, path: string): Promise<void> {
  const error = await errorOf(run)
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', fault: 'user' })
  expect(error.message).toContain(path)
}

describe('in a session', () => {
  withSession({ logToDriver: false })

  test.each(['maxPendingCalls', 'maxPendingBytes', 'maxConcurrency'])('%s', async (name) => {
    const type = language.actor(`${module('lives')}:Counter`)
    for (const value of absurd) {
      await expectRefused(() => type.options({ [name]: value }), `options.${name}`)
    }
  })

  test.each(['timeoutMs', 'retries', 'retryDelayMs', 'priority', 'retryOn'])('%s', async (name) => {
    const echo = language.task(`${module('things')}:echo`)
    const allowed: Readonly<Record<string, readonly unknown[]>> = {
      timeoutMs: [0.5],
      retries: [0],
      retryDelayMs: [0, 0.5],
      priority: [-1, 0],
    }
    for (const value of absurd.filter((each) => allowed[name]?.includes(each) !== true)) {
      await expectRefused(() => echo.with({ [name]: value })(1), `options.${name}`)
    }
    expect(await echo(1)).toBe(1)
  })

  test('maxRestarts, groups and their limits', async () => {
    const type = language.actor(`${module('lives')}:Counter`)
    for (const value of [-2, 0.5, NaN, Infinity, 2 ** 31, '1']) {
      await expectRefused(
        () => type.options({ maxRestarts: value as number }),
        'options.maxRestarts',
      )
    }
    for (const limit of [...absurd, 2 ** 31]) {
      const concurrencyGroups = { few: { limit: limit as number } }
      await expectRefused(
        () => type.options({ concurrencyGroups }),
        'options.concurrencyGroups.few.limit',
      )
    }
  })

  test('what is not an actor, a task or a ref', async () => {
    const nobody = {} as never
    await expectRefused(() => room(nobody), 'callee')
    await expectRefused(() => pending(nobody), 'callee')
    await expectRefused(() => cancel(nobody), 'ref')
    await expectRefused(() => kill(nobody), 'actor')
    await expectRefused(() => wait([nobody]), 'refs[0]')
    await expectRefused(() => getActor('x', { maxPendingCalls: -1 }), 'options.maxPendingCalls')
  })

  test('limits of one: each call waits for the one before', async () => {
    const type = language.actor(`${module('lives')}:Counter`)
    const counter = await type.options({ maxPendingCalls: 1 }).create()
    const refs: ObjectRef[] = []
    for (let n = 0; n < 50; n++) {
      await room(counter)
      refs.push(counter.expect!(n) as ObjectRef)
    }
    for (const [n, ref] of refs.entries()) expect(await ref).toBe(n)
    expect(pending(counter)).toMatchObject({ calls: 0, maxCalls: 1, refused: 0 })
    await kill(counter)
  })
})

test('a session with absurd limits does not begin', async () => {
  for (const options of [{ pendingCallsMax: -1 }, { cpus: NaN }, { storeBytes: -5 }]) {
    const name = Object.keys(options)[0]!
    await expectRefused(() => init(options), `options.${name}`)
  }
})
