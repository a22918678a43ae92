import { describe, expect, test } from 'vitest'

import { SerializationError } from '../errors/index.ts'
import { encodeAs } from './encode-as.ts'
import { Encoder } from './encoder.ts'
import { kw } from './keywords.ts'

const encoder = new Encoder()

function refusal(args: unknown[]): string {
  try {
    encoder.encodeArguments(args)
  } catch (error) {
    expect(error).toBeInstanceOf(SerializationError)
    return (error as Error).message
  }
  throw new Error('the value was not refused')
}

class Account {
  owner = 'x'
}

const forbidden: [string, unknown, RegExp][] = [
  ['a function', () => 1, /function.*defineTask/],
  ['a class', Account, /function/],
  ['a symbol', Symbol('s'), /symbol/],
  ['a Promise', Promise.resolve(1), /await it first/],
  ['a thenable', { __proto__: { then() {} } }, /await it first/],
  ['a class instance', new Account(), /instance of the class Account.*plain object/],
  ['an instance of an anonymous class', new (class {})(), /anonymous/],
  ['a RegExp', /x/, /class RegExp/],
  ['a WeakMap', new WeakMap(), /class WeakMap/],
  ['an invalid Date', new Date(NaN), /invalid Date/],
  ['half a surrogate pair', 'a\ud800', /surrogate/],
  ['half a surrogate pair in a long text', `${'a'.repeat(5000)}\udc00`, /surrogate/],
  ['a huge integer', 1n << 600_000n, /65,535 bytes/],
  ['keywords in the wrong place', kw({ a: 1 }), /last argument/],
  ['an object as member of a set', new Set([{}]), /key or a member of a set/],
  ['an array as a key', new Map([[[1], 2]]), /tuple\(\)/],
  ['a numeric array as a key', new Map([[new Int8Array(1), 2]]), /numeric array/],
]

describe('what cannot be sent', () => {
  test.each(forbidden)('%s is refused with its path', (_, value, reason) => {
    expect(refusal([value, 1])).toMatch(reason)
    expect(refusal([value, 1])).toMatch(/^args\[0\]/)
    expect(refusal([1, { list: [0, value] }])).toMatch(/^args\[1\]\.list\[1\]/)
  })

  test('the encoder works on after a refusal', () => {
    refusal([[new Float64Array(100), Symbol('s')]])
    expect(encoder.encodeArguments([1])).toBe(2)
    expect(encoder.buffers).toEqual([])
  })
})

describe('paths', () => {
  const bad = Symbol('bad')

  test.each<[unknown[], string]>([
    [[{ 'odd key': { ünïcode: bad } }], 'args[0]["odd key"].ünïcode'],
    [[new Map([['k', [bad]]])], 'args[0].get("k")[0]'],
    [[new Map([[3, bad]])], 'args[0].get(3)'],
    [[new Map([[bad, 3]])], 'args[0].keys()[0]'],
    [[new Set([1, bad])], 'args[0].values()[1]'],
    [[0, kw({ warm: bad })], 'args.warm'],
  ])('%#', (args, path) => {
    expect(refusal(args)).toMatch(new RegExp(`^${escape(path)} cannot`))
  })

  function escape(text: string): string {
    return text.replace(/[[\]().]/g, '\\$&')
  }

  test('the root has the name that the caller gave it, and data holds path and reason', () => {
    try {
      encoder.encode({ a: bad }, undefined, 0, 'the return value')
      expect.unreachable()
    } catch (error) {
      expect((error as SerializationError).data['path']).toBe('the return value.a')
    }
  })
})

describe('nesting', () => {
  test('a cycle is named by where it closes', () => {
    const node: Record<string, unknown> = { children: [1, 2, 3] }
    ;(node['children'] as unknown[]).push({ self: node })
    expect(refusal([node])).toBe(
      'args[0].children[3].self cannot be sent: it is args[0] again, so the value contains itself',
    )
    const map = new Map<string, unknown>()
    map.set('me', [map])
    expect(refusal([map])).toMatch(/^args\[0\]\.get\("me"\)\[0\] .*it is args\[0\] again/)
  })

  test('a value that is merely deep says so, and 500 levels are sent', () => {
    let deep: unknown = 1
    for (let level = 0; level < 499; level++) deep = { a: deep }
    encoder.encodeArguments([deep])
    expect(refusal([{ a: deep }])).toMatch(/^args\[0\](\.a)+… cannot be sent: .*500 levels deep/)
  })

  test('the same object twice is no cycle', () => {
    const shared = { a: 1 }
    encoder.encode([shared, shared, [shared]])
  })
})

describe('objects that write themselves', () => {
  test('have to write exactly once', () => {
    encoder.encode(1)
    const silent = { [encodeAs]() {} }
    Object.setPrototypeOf(silent, { constructor: Account })
    expect(() => encoder.encode(silent)).toThrow(TypeError)
    class Twice {
      [encodeAs](writer: { float(x: number): void }) {
        writer.float(1)
        writer.float(2)
      }
    }
    expect(() => encoder.encode(new Twice())).toThrow(TypeError)
  })

  test('may refuse', () => {
    class Closed {
      [encodeAs](writer: { refuse(reason: string): never }) {
        writer.refuse('it was released')
      }
    }
    expect(refusal([[new Closed()]])).toBe('args[0][0] cannot be sent: it was released')
  })
})

test('an error thrown by a getter passes through', () => {
  const failure = new Error('from the getter')
  const value = {
    get a() {
      throw failure
    },
  }
  expect(() => encoder.encode([value])).toThrow(failure)
  expect(encoder.encode(1)).toBe(1)
})
