// Values that cannot be sent: refused where the call is made, with the path of the member.

import { describe, expect, test } from 'vitest'
import { put } from 'thornback'
import { callees, errorOf, options, withSession } from './support/session.ts'

withSession()

const cyclic: Record<string, unknown> = { name: 'root', children: [0, 1, 2] }
cyclic['children'] = [0, 1, 2, { self: cyclic }]
let deep: unknown = 'bottom'
for (let i = 0; i < 600; i++) deep = [deep]

class Instance {}

const refused: readonly (readonly [string, unknown, RegExp])[] = [
  ['a function', { rows: [1, { run: () => 1 }] }, /args\[0\]\.rows\[1\]\.run/],
  ['a symbol', [Symbol('x')], /args\[0\]\[0\]/],
  ['a Promise', { later: Promise.resolve(1) }, /args\[0\]\.later/],
  ['an instance of a class', { it: new Instance() }, /args\[0\]\.it.*Instance/],
  ['half a surrogate pair', ['\ud800'], /args\[0\]\[0\]/],
  ['a cycle', cyclic, /args\[0\]\.children\[3\]\.self/],
  ['more than 500 levels', deep, /500/],
]

describe.each(callees)('a call to $name', (callee) => {
  const { language, module } = callee
  const echo = language.task<(value: unknown) => unknown>(`${module('things')}:echo`)

  test.each(refused)('with %s is refused, with its path', async (_what, value, path) => {
    const error = await errorOf(() => echo(value))
    expect(error).toMatchObject({ code: 'SERIALIZATION_ERROR' })
    expect(error.message).toMatch(path)
    expect(await echo('next')).toBe('next')
  })

  test('whose result cannot be sent fails, with its path', async () => {
    const error = await errorOf(() => language.task(`${module('things')}:unsendable`)())
    expect(error).toMatchObject({ code: 'SERIALIZATION_ERROR' })
    expect(error.message).toMatch(
      /(result|return value)(\.rows|\['rows'\])\[1\](\.worker|\['worker'\])/,
    )
    expect(await echo('next')).toBe('next')
  })

  test('whose argument is larger than the store is refused', async () => {
    const error = await errorOf(() => echo(new Float64Array(options.storeBytes! / 8 + 1)))
    expect(error).toMatchObject({ code: 'STORE_FULL', retryable: true })
    expect(await echo('next')).toBe('next')
  })

  test('whose result is larger than the store fails', async () => {
    const actor = await language.actor(`${module('things')}:Thing`).create()
    const error = await errorOf(() => actor.big!(options.storeBytes! / 8 + 1))
    expect(error).toMatchObject({ code: 'STORE_FULL' })
    expect(await actor.echo!('next')).toBe('next')
  })
})

test('a store that is full becomes usable when refs are released', async () => {
  const quarter = (): Float64Array => new Float64Array(options.storeBytes! / 8 / 4)
  const refs = [put(quarter()), put(quarter()), put(quarter())]
  const error = await errorOf(() => put(new Float64Array(options.storeBytes! / 8 / 2)))
  expect(error).toMatchObject({ code: 'STORE_FULL' })
  for (const ref of refs) ref.dispose()
  expect(await put(quarter())).toHaveLength(quarter().length)
})

test('put of a value larger than the store is refused, and the store is usable', async () => {
  const error = await errorOf(() => put(new Float64Array(options.storeBytes! / 8 + 1)))
  expect(error).toMatchObject({ code: 'STORE_FULL' })
  using half = put(new Float64Array(options.storeBytes! / 16 / 2))
  expect(await half).toHaveLength(options.storeBytes! / 16 / 2)
})
