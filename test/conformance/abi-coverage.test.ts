// Which functions of the C ABI each binding calls, and why it does without the others.

import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  abiFunctions,
  abiTable,
  type Binding,
  bindings,
  boundFunctions,
} from './support/coverage.ts'

type Reasons = Readonly<Record<Binding, Readonly<Record<string, string>>>>
const file = join(import.meta.dirname, 'abi-not-bound.json')
const reasons = JSON.parse(readFileSync(file, 'utf8')) as Reasons
const functions = abiFunctions()

afterAll(() => {
  writeSync(1, abiTable(reasons))
})

test('the header declares functions', () => {
  expect(functions.length).toBeGreaterThan(30)
  expect(functions.length).toBeLessThan(60)
  expect(functions).toContain('tbk_submit')
})

describe.each(Object.keys(bindings) as Binding[])('the binding of %s', (name) => {
  const bound = boundFunctions(name)

  test('calls each function or says why not', () => {
    const missing = functions.filter(
      (each) => !bound.has(each) && reasons[name][each] === undefined,
    )
    expect(missing).toEqual([])
  })

  test('gives no reason for what it calls, or for what does not exist', () => {
    const given = Object.keys(reasons[name])
    expect(given.filter((each) => bound.has(each) || !functions.includes(each))).toEqual([])
    for (const reason of Object.values(reasons[name])) expect(reason).toMatch(/^\S.{10,}$/)
  })

  test('calls nothing that the header does not declare', () => {
    expect([...bound].filter((each) => !functions.includes(each) && !each.endsWith('_t'))).toEqual(
      [],
    )
  })
})
