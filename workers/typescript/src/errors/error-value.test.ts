import { describe, expect, test } from 'vitest'

import { decode } from '../codec/decoder.ts'
import { Encoder } from '../codec/encoder.ts'
import {
  ActorDiedError,
  type ErrorValue,
  fromErrorValue,
  makeError,
  RemoteError,
  RemoteException,
  ThornbackError,
  toErrorValue,
  toThrownValue,
} from './index.ts'

const encoder = new Encoder()

/** Through bytes, as a failed reply travels. */
function send(value: ErrorValue): ThornbackError {
  const end = encoder.encodeError(value)
  return decode(encoder.bytes, 0, end) as ThornbackError
}

const pythonTrace = 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: bad\n'
const python: ErrorValue = {
  code: 'REMOTE_ERROR',
  name: 'ValueError',
  message: 'bad',
  stack: pythonTrace,
  language: 'python',
  cause: { code: 'REMOTE_ERROR', name: 'KeyError', message: "'x'", language: 'python' },
}

describe('what arrives', () => {
  test('a Python exception is the cause of a RemoteError, with its frames and causes', () => {
    const error = send(python)
    expect(error).toBeInstanceOf(RemoteError)
    expect([error.code, error.message, error.retryable, error.fault]).toEqual([
      'REMOTE_ERROR',
      'ValueError: bad',
      false,
      'user',
    ])
    expect(error.remoteStack).toBe(pythonTrace)
    const cause = error.cause as RemoteException
    expect(cause).toBeInstanceOf(RemoteException)
    expect([cause.name, cause.message, cause.language]).toEqual(['ValueError', 'bad', 'python'])
    expect(cause.stack).toBe(pythonTrace)
    expect((cause.cause as Error).name).toBe('KeyError')
    expect((cause.cause as Error).cause).toBeUndefined()
  })

  test('an error of the table is its class, with data, cause and remote frames', () => {
    const error = send({
      code: 'ACTOR_DIED',
      name: 'ActorDiedError',
      message: 'gone',
      stack: 'there',
      data: { signal: 9 },
      cause: python,
    })
    expect(error).toBeInstanceOf(ActorDiedError)
    expect(error).toMatchObject({ name: 'ActorDiedError', fault: 'peer', remoteStack: 'there' })
    expect(error.data).toEqual({ signal: 9 })
    expect((error.cause as Error).name).toBe('ValueError')
  })

  test('a code from a later version is a plain ThornbackError', () => {
    const error = send({ code: 'NEW_ONE', name: 'NewError', message: 'what' })
    expect(error.constructor).toBe(ThornbackError)
    expect([error.code, error.message]).toEqual(['NEW_ONE', 'what'])
  })

  test('codes that are names of every object are unknown codes', () => {
    expect(send({ code: 'constructor', name: 'x', message: '' }).constructor).toBe(ThornbackError)
  })
})

describe('what leaves', () => {
  test('an error of user code: type name, message, frames, causes, fields', () => {
    class ConfigError extends Error {}
    const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER', errno: -2, fn() {} })
    const value = toThrownValue(new ConfigError('outer', { cause }))
    expect(value).toMatchObject({
      code: 'REMOTE_ERROR',
      name: 'ConfigError',
      message: 'outer',
      language: 'typescript',
      cause: { name: 'TypeError', message: 'inner', data: { code: 'E_INNER', errno: -2 } },
    })
    expect(value.stack).toContain('error-value.test.ts')
    const error = send(value)
    expect((error.cause as Error).name).toBe('ConfigError')
    expect(((error.cause as Error).cause as RemoteException).data).toEqual({
      code: 'E_INNER',
      errno: -2,
    })
  })

  test('an error of Thornback that user code lets pass is no fate of the caller', () => {
    const passed = new ActorDiedError('actor a died', { cause: new Error('why'), data: { id: 1 } })
    const value = toThrownValue(passed)
    expect(value).toMatchObject({
      code: 'REMOTE_ERROR',
      name: 'ActorDiedError',
      message: 'actor a died',
      data: { code: 'ACTOR_DIED', id: 1 },
      cause: { message: 'why' },
    })
    expect(send(value)).toBeInstanceOf(RemoteError)
  })

  test('a RemoteError that user code lets pass keeps both stacks', () => {
    const here = fromErrorValue(python)
    const there = send(toThrownValue(here))
    expect(there.message).toBe('RemoteError: ValueError: bad')
    const local = there.cause as RemoteException
    expect(local.stack).toContain('error-value.test.ts')
    expect((local.cause as Error).name).toBe('ValueError')
    expect((local.cause as Error).stack).toBe(pythonTrace)
  })

  test('the engine raises its own errors with their code', () => {
    expect(toErrorValue(makeError('NAME_TAKEN', { name: 'hits' }))).toMatchObject({
      code: 'NAME_TAKEN',
      message: 'an actor named hits exists already',
      data: { name: 'hits' },
    })
  })

  test('a received error is sent on as it came', () => {
    for (const value of [python, { code: 'ACTOR_DIED', name: 'ActorDiedError', message: 'm' }]) {
      const end = encoder.encodeError(value)
      const bytes = encoder.bytes.slice(0, end)
      encoder.encode(decode(bytes))
      expect(encoder.bytes.slice(0, encoder.end)).toEqual(bytes)
    }
  })
})

describe('anything can be thrown', () => {
  test.each<[unknown, string]>([
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ a: 1 }, '{"a":1}'],
    [Symbol('s'), 'Symbol(s)'],
    [42n, '42'],
    [{ toJSON: () => undefined }, '[object Object]'],
    [Object.assign(Object.create(null) as object, { toJSON: () => undefined }), '[object Object]'],
  ])('%o', (thrown, message) => {
    expect(send(toThrownValue(thrown))).toMatchObject({ code: 'REMOTE_ERROR' })
    expect(toThrownValue(thrown).message).toBe(message)
  })

  test('a cyclic object, a cyclic chain, a long chain', () => {
    const thrown: Record<string, unknown> = {}
    thrown['self'] = thrown
    expect(toThrownValue(thrown).message).toBe('[object Object]')
    const loop = new Error('loop')
    loop.cause = loop
    expect(send(toThrownValue(loop)).message).toBe('Error: loop')
    let chain = new Error('end')
    for (let i = 0; i < 1000; i++) chain = new Error(`level ${i}`, { cause: chain })
    expect(send(toThrownValue(chain)).message).toBe('Error: level 999')
  })

  test('a huge message, half a surrogate, a message that is no text', () => {
    const value = toThrownValue(new Error(`${'x'.repeat(200_000)}\ud800`))
    expect(value.message.length).toBeLessThan(65_537)
    expect(send(value).message).toContain('... cut ...')
    const odd = Object.assign(new Error(''), { message: { not: 'text' } })
    expect(send(toThrownValue(odd)).message).toBe('Error: [object Object]')
  })

  test('an AggregateError carries its errors, one that holds itself is still sent', () => {
    const several = new AggregateError([new TypeError('a'), 'b'], 'both')
    const cause = send(toThrownValue(several)).cause as RemoteException
    const errors = cause.data['errors'] as Error[]
    expect(errors.map((error) => error.message)).toEqual(['TypeError: a', 'Error: b'])
    const self = new AggregateError([], 'self')
    self.errors.push(self)
    expect(send(toThrownValue(self)).message).toBe('AggregateError: self')
  })

  test('data that cannot be sent is left out', () => {
    const value = { ...python, data: { fn: () => 1 } }
    expect(send(value).data).toEqual({})
  })
})
