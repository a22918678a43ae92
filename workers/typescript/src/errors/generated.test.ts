import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { codeOfStatus, errorClasses, makeError, NotFoundError, ThornbackError } from './index.ts'

interface Row {
  code: keyof typeof errorClasses
  class: string
  number: number
  fault: string
  retryable: boolean
  message: string
}

const table = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../proto/errors.json'), 'utf8'),
) as { errors: Row[] }

describe('each error of the table', () => {
  test.each(table.errors)('$code is $class', (row) => {
    const error = new errorClasses[row.code]('what happened', { data: { a: 1 } })
    expect(error).toBeInstanceOf(ThornbackError)
    expect(error).toMatchObject({
      code: row.code,
      fault: row.fault,
      retryable: row.retryable,
      name: row.class,
      message: 'what happened',
      data: { a: 1 },
      remoteStack: undefined,
    })
    expect(error.stack).toMatch(new RegExp(`^${row.class}: what happened`))
    expect(Object.keys(error)).not.toContain('name')
  })
})

test('messages are made from their template; a missing field stays visible', () => {
  expect(makeError('NOT_FOUND', { kind: 'method', name: 'scor' }).message).toBe(
    'no method scor; there is {available}',
  )
  expect(makeError('ACTOR_NOT_FOUND', { name: 'x' })).toBeInstanceOf(NotFoundError)
})

test('a subclass of a user keeps the code', () => {
  class MyTimeout extends errorClasses.TIMEOUT {}
  expect(new MyTimeout('late').code).toBe('TIMEOUT')
})

test('statuses of the C ABI have their codes', () => {
  expect(codeOfStatus[9]).toBe('STORE_FULL')
  expect(codeOfStatus[0]).toBeUndefined()
})
