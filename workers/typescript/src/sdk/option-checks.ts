// Checks of single options: a wrong one is reported with its full path.

import { makeError } from '../errors/index.ts'
import { type ErrorName, nameOfError } from '../runtime/call-options.ts'

export type Check = (value: unknown, path: string) => void

const groupBytesMax = 127
const namesBytesMax = 4_096

export function wrong(path: string, reason: string): Error {
  return makeError('INVALID_ARGUMENT', { option: path, reason })
}

export function check(path: string, holds: boolean, reason: string): void {
  if (!holds) throw wrong(path, reason)
}

/** A whole number within limits. */
export function whole(min: number, max: number, unit = ''): Check {
  const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max.toLocaleString('en')}`
  const reason = `must be a whole number${unit} from ${min.toLocaleString('en')}${upTo}`
  return (value, path) => {
    const fits = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
    check(path, fits, reason)
  }
}

export function oneOf(...names: readonly string[]): Check {
  const list = names.map((name) => `'${name}'`).join(' or ')
  return (value, path) => check(path, names.includes(value as string), `must be ${list}`)
}

export const text: Check = (value, path) =>
  check(path, typeof value === 'string', 'must be a string')
export const flag: Check = (value, path) =>
  check(path, typeof value === 'boolean', 'must be true or false')
export const amount: Check = (value, path) => {
  check(
    path,
    typeof value === 'number' && Number.isFinite(value) && value >= 0,
    'must be a number from 0',
  )
}
export const positive: Check = whole(1, Number.MAX_SAFE_INTEGER)
export const texts: Check = (value, path) => {
  const fits = Array.isArray(value) && value.every((item) => typeof item === 'string')
  check(path, fits, 'must be a list of strings')
}
export const textMap: Check = (value, path) => {
  checkObject(value, path)
  for (const [name, each] of Object.entries(value as object)) text(each, `${path}.${name}`)
}
export const milliseconds: Check = (value, path) => {
  const fits = typeof value === 'number' && value > 0 && value <= 2 ** 31 - 1
  check(path, fits, 'must be a number of milliseconds above 0 and below 2^31')
}
export const delay: Check = (value, path) => {
  const fits = typeof value === 'number' && value >= 0 && value <= 2 ** 31 - 1
  check(path, fits, 'must be a number of milliseconds from 0 and below 2^31')
}
export const signal: Check = (value, path) => {
  check(path, value instanceof AbortSignal, 'must be an AbortSignal')
}

/** The name of a concurrency group. */
export const groupName: Check = (value, path) => {
  const fits = typeof value === 'string' && value !== '' && !value.includes('\n')
  check(
    path,
    fits && Buffer.byteLength(value) <= groupBytesMax,
    `must be a name of at most ${groupBytesMax} bytes`,
  )
}

/** `true`, or names and classes of errors. */
export const errorNames: Check = (value, path) => {
  if (typeof value === 'boolean') return
  check(path, Array.isArray(value), 'must be true or a list of names and classes of errors')
  const list = value as readonly ErrorName[]
  for (const [index, each] of list.entries()) {
    const isNamed = typeof each === 'string' || typeof each === 'function'
    const name = isNamed ? nameOfError(each) : ''
    const reason = 'must be the name of an error, or a class that has one'
    check(`${path}[${index}]`, typeof name === 'string' && /^[^\s]+$/.test(name), reason)
  }
  const bytes = Buffer.byteLength(list.map(nameOfError).join('\n'))
  check(path, bytes <= namesBytesMax, `has names of ${bytes} bytes, at most ${namesBytesMax}`)
}

export function checkObject(value: unknown, path: string): void {
  check(
    path,
    typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
}

/** Checks an object: every member that is there is known and right. */
export function checkMembers(
  value: unknown,
  path: string,
  checks: Readonly<Record<string, Check>>,
): void {
  checkObject(value, path)
  for (const [name, member] of Object.entries(value as object)) {
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (known === undefined) {
      throw wrong(
        `${path}.${name}`,
        `there is no such option; there is ${Object.keys(checks).join(', ')}`,
      )
    }
    if (member !== undefined) known(member, `${path}.${name}`)
  }
}

/** `{ health: { limit: 2, methods: ['ping'] } }`: a method is in one group at most. */
export const concurrencyGroups: Check = (value, path) => {
  checkObject(value, path)
  const groupOf = new Map<string, string>()
  for (const [name, group] of Object.entries(value as object)) {
    const at = `${path}.${name}`
    groupName(name, at)
    checkMembers(group, at, { limit: concurrency, methods: texts })
    const { limit, methods = [] } = group as { limit?: number; methods?: readonly string[] }
    check(`${at}.limit`, limit !== undefined, 'is missing: how many calls of the group run at once')
    for (const method of methods) {
      const other = groupOf.get(method)
      check(`${at}.methods`, other === undefined, `${method} is in the group ${other} already`)
      groupOf.set(method, name)
    }
  }
}

/** How many calls run at once. */
export const concurrency: Check = whole(1, 2 ** 31 - 1)
