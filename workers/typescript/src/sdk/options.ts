// Options of tasks and actors, and their checks: a wrong one is reported with its full path.

import { makeError } from '../errors/index.ts'
import type { CallOptions } from '../runtime/callable.ts'

/** What a worker runs in; what is missing is the session's. */
export interface WorkerEnvironment {
  /** Python interpreter of Python workers. */
  python?: string
  /** Working folder. */
  cwd?: string
  /** Folders put in front of Python's module search. */
  sysPath?: readonly string[]
  /** Environment variables, added to the session's. */
  variables?: Readonly<Record<string, string>>
}

export interface Resources {
  /** CPUs; fractions are allowed. By default 1 for a task while it runs, 0 for an actor. */
  cpu?: number
}

export interface TaskOptions {
  resources?: Resources
  environment?: WorkerEnvironment
}

export interface ActorOptions {
  /** The actor can be found by this name with `getActor`, as long as it lives. */
  name?: string
  /** Separates names of different programs; by default the session's. */
  namespace?: string
  /** With a name: take the living actor of that name instead of failing with NameTakenError. */
  getIfExists?: boolean
  /** CPUs that the actor occupies while it lives. */
  resources?: Resources
  /** The actor may live in a process together with others that share; otherwise it has one to itself. */
  share?: boolean
  /** How many calls run at the same time. By default an actor in TypeScript starts each call when it arrives. */
  maxConcurrency?: number
  environment?: WorkerEnvironment
}

type Check = (value: unknown, path: string) => void

function wrong(path: string, reason: string): Error {
  return makeError('INVALID_ARGUMENT', { option: path, reason })
}

function check(path: string, holds: boolean, reason: string): void {
  if (!holds) throw wrong(path, reason)
}

const text: Check = (value, path) => check(path, typeof value === 'string', 'must be a string')
const flag: Check = (value, path) =>
  check(path, typeof value === 'boolean', 'must be true or false')
const amount: Check = (value, path) => {
  check(
    path,
    typeof value === 'number' && Number.isFinite(value) && value >= 0,
    'must be a number from 0',
  )
}
const positive: Check = (value, path) => {
  check(path, Number.isSafeInteger(value) && (value as number) > 0, 'must be a whole number from 1')
}
const texts: Check = (value, path) => {
  const fits = Array.isArray(value) && value.every((item) => typeof item === 'string')
  check(path, fits, 'must be a list of strings')
}
const textMap: Check = (value, path) => {
  checkObject(value, path)
  for (const [name, each] of Object.entries(value as object)) text(each, `${path}.${name}`)
}
const milliseconds: Check = (value, path) => {
  const fits = typeof value === 'number' && value > 0 && value <= 2 ** 31 - 1
  check(path, fits, 'must be a number of milliseconds above 0 and below 2^31')
}
const signal: Check = (value, path) => {
  check(path, value instanceof AbortSignal, 'must be an AbortSignal')
}

function checkObject(value: unknown, path: string): void {
  check(
    path,
    typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
}

/** Checks an object: every member that is there is known and right. */
function checkMembers(value: unknown, path: string, checks: Readonly<Record<string, Check>>): void {
  checkObject(value, path)
  for (const [name, member] of Object.entries(value as object)) {
    const known = checks[name]
    if (known === undefined) {
      throw wrong(
        `${path}.${name}`,
        `there is no such option; there is ${Object.keys(checks).join(', ')}`,
      )
    }
    if (member !== undefined) known(member, `${path}.${name}`)
  }
}

const resources: Check = (value, path) => checkMembers(value, path, { cpu: amount })
const environment: Check = (value, path) => {
  checkMembers(value, path, { python: text, cwd: text, sysPath: texts, variables: textMap })
}
const callChecks = { timeoutMs: milliseconds, signal }
const taskChecks = { resources, environment }
const actorChecks = {
  name: text,
  namespace: text,
  getIfExists: flag,
  resources,
  share: flag,
  maxConcurrency: positive,
  environment,
}
const initChecks = {
  address: text,
  cwd: text,
  python: text,
  sysPath: texts,
  cpus: positive,
  storeBytes: positive,
  prestart: (value: unknown, path: string) => {
    checkMembers(value, path, { python: amount, typescript: amount })
  },
  logToDriver: flag,
  namespace: text,
  environment: textMap,
  idleSeconds: amount,
  pendingCallsMax: positive,
  spin: flag,
}

export function checkCallOptions(options: CallOptions, path = 'options'): void {
  checkMembers(options, path, callChecks)
}

export function checkTaskOptions(options: TaskOptions & CallOptions, path = 'options'): void {
  checkMembers(options, path, { ...taskChecks, ...callChecks })
}

export function checkActorOptions(options: ActorOptions, path = 'options'): void {
  checkMembers(options, path, actorChecks)
}

export function checkInitOptions(options: object, path = 'options'): void {
  checkMembers(options, path, initChecks)
}

export function checkWaitOptions(options: object, path = 'options'): void {
  checkMembers(options, path, { count: positive, timeoutMs: (value, at) => amount(value, at) })
}
