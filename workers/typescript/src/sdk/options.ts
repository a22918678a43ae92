// Options of tasks and actors, and which of them there are.

import type { CallOptions } from '../runtime/callable.ts'
import type { CallBehaviour, RetryOptions } from '../runtime/call-options.ts'
import type { FlowOptions } from '../runtime/flow.ts'
import * as checks from './option-checks.ts'
import {
  amount,
  checkMembers,
  flag,
  positive,
  text,
  texts,
  textMap,
  whole,
} from './option-checks.ts'
import { neededResources, nodeResources } from './resource-checks.ts'

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

/** What is taken while a task runs, or an actor lives: numbers from 0 in steps of 0.0001. */
export interface Resources {
  /** CPUs; by default 1 for a task, 0 for an actor. */
  cpu?: number
  /** Whole bytes. They are counted; nothing keeps the process from using more. */
  memory?: number
  /** GPUs: a whole number, or a fraction below 1 of one that others share. An actor finds its indices in `context().gpus`. */
  gpu?: number
  /** What `init({ resources })` has named: `{ license: 1 }`. */
  [name: string]: number | undefined
}

/** What calls of a task may say besides their limits: in `with` for one, in `options` for all. */
export interface TaskCallOptions extends RetryOptions {
  /**
   * Of the tasks of this process that wait for the same workers, because their language, resources, environment and limits are
   * equal, those with a higher one start first; 0 by default.
   */
  priority?: number
}

/** What calls of an actor's methods may say besides their limits. */
export interface MethodCallOptions extends RetryOptions {
  /** The concurrency group of the actor in which the call runs; by default that of the method. */
  group?: string
  /**
   * `false`: the call may overtake earlier ones that wait for the refs among their arguments, and be overtaken while it waits for
   * its own. By default calls of one process to an actor start in the order in which they were made.
   */
  inOrder?: boolean
}

export interface TaskOptions extends TaskCallOptions, FlowOptions {
  resources?: Resources
  environment?: WorkerEnvironment
}

/** Methods that run apart from the others. */
export interface ConcurrencyGroup {
  /** How many calls of the group run at the same time. */
  limit: number
  /** The methods that belong to it; calls of others may name it (`with({ group })`). */
  methods?: readonly string[]
}

/** How a process calls an actor; it holds for the handle for which it is given and does not travel with it. */
export interface HandleOptions extends RetryOptions, FlowOptions {
  /** As for single calls. */
  inOrder?: boolean
}

export interface ActorOptions extends HandleOptions {
  /** The actor can be found by this name with `getActor`, as long as it lives. */
  name?: string
  /** Separates names of different programs; by default the session's. */
  namespace?: string
  /** With a name: take the living actor of that name instead of failing with NameTakenError. */
  getIfExists?: boolean
  /** What the actor occupies while it lives; not together with `share`. */
  resources?: Resources
  /** The actor may live in a process together with others that share; otherwise it has one to itself. */
  share?: boolean
  /** How many calls run at the same time, but for those of groups. By default an actor in TypeScript starts each call when it arrives. */
  maxConcurrency?: number
  /** Methods with limits of their own, by name of the group: `{ health: { limit: 2, methods: ['ping'] } }`. */
  concurrencyGroups?: Readonly<Record<string, ConcurrencyGroup>>
  /**
   * How often the actor is started again after its process has died, -1 without limit; 0 by default. Its constructor runs again,
   * with the same arguments. Calls that the dead one was executing fail with ActorUnavailableError, or are made again if they have
   * `retries`; those that were not sent to it go to the next.
   */
  maxRestarts?: number
  environment?: WorkerEnvironment
}

const retriesMax = 1_000_000
const environment: checks.Check = (value, path) => {
  checkMembers(value, path, { python: text, cwd: text, sysPath: texts, variables: textMap })
}
const limitChecks = { timeoutMs: checks.milliseconds, signal: checks.signal }
const retryChecks = {
  retries: whole(0, retriesMax),
  retryOn: checks.errorNames,
  retryDelayMs: checks.delay,
}
const flowChecks = {
  maxPendingCalls: positive,
  maxPendingBytes: positive,
  whenFull: checks.oneOf('refuse', 'wait'),
}
const methodChecks = { ...limitChecks, ...retryChecks, group: checks.groupName, inOrder: flag }
const taskChecks = {
  ...retryChecks,
  priority: whole(-(2 ** 31), 2 ** 31 - 1),
  ...flowChecks,
  resources: neededResources,
  environment,
}
const handleChecks = { ...retryChecks, ...flowChecks, inOrder: flag }
const actorChecks = {
  name: text,
  namespace: text,
  getIfExists: flag,
  resources: neededResources,
  share: flag,
  maxConcurrency: checks.concurrency,
  concurrencyGroups: checks.concurrencyGroups,
  maxRestarts: whole(-1, 2 ** 31 - 1),
  environment,
  ...handleChecks,
}
const initChecks = {
  address: text,
  cwd: text,
  python: text,
  sysPath: texts,
  cpus: positive,
  resources: nodeResources,
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

export function checkMethodOptions(options: MethodCallOptions & CallOptions): void {
  checkMembers(options, 'options', methodChecks)
}

/** What is given for all calls of a task. */
export function checkTaskOptions(options: TaskOptions): void {
  checkMembers(options, 'options', taskChecks)
}

/** What is given for one call. */
export function checkTaskCallOptions(options: TaskOptions & CallOptions): void {
  checkMembers(options, 'options', { ...limitChecks, ...taskChecks })
}

export function checkActorOptions(options: ActorOptions): void {
  checkMembers(options, 'options', actorChecks)
}

export function checkGetActorOptions(options: object): void {
  checkMembers(options, 'options', { namespace: text, ...handleChecks })
}

export function checkInitOptions(options: object): void {
  checkMembers(options, 'options', initChecks)
}

export function checkWaitOptions(options: object): void {
  checkMembers(options, 'options', { count: positive, timeoutMs: amount })
}

export function checkCancelOptions(options: object): void {
  checkMembers(options, 'options', { force: flag, recursive: flag })
}

const behaviourNames = [
  'retries',
  'retryOn',
  'retryDelayMs',
  'priority',
  'group',
  'inOrder',
] as const satisfies readonly (keyof CallBehaviour)[]
const flowNames = ['maxPendingCalls', 'maxPendingBytes', 'whenFull'] as const

/** Options by what they are about: single calls, what may be pending, and the rest. */
export function splitOptions<T extends CallBehaviour & FlowOptions>(
  options: T,
): {
  behaviour: CallBehaviour
  flow: FlowOptions
  rest: Omit<T, (typeof behaviourNames)[number] | (typeof flowNames)[number]>
} {
  const parts = { behaviour: {} as object, flow: {} as object, rest: {} as object }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const isOf = (names: readonly string[]): boolean => names.includes(name)
    const part = isOf(behaviourNames) ? parts.behaviour : isOf(flowNames) ? parts.flow : parts.rest
    ;(part as Record<string, unknown>)[name] = value
  }
  return parts as never
}
