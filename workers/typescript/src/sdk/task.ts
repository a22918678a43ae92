import {
  type BoundOptions,
  type Callable,
  type CallOptions,
  ResultKind,
} from '../runtime/callable.ts'
import type { CallBehaviour } from '../runtime/call-options.ts'
import {
  checkTaskCallOptions,
  checkTaskOptions,
  splitOptions,
  type TaskOptions,
} from './options.ts'
import type { AnyFunction, BoundCall } from './remote-types.ts'
import { currentSession, type Session } from './session.ts'

/**
 * A function that runs in a worker. Calling it returns at once, with a ref to the result; whichever worker is free executes
 * it. Calls run in no order.
 */
export interface Task<F extends AnyFunction> extends BoundCall<F> {
  /** The same task with other options; what is not given stays. */
  options(options: TaskOptions): Task<F>
  /** The task with options for a call: `square.with({ timeoutMs: 500 })(3)`. */
  with(options: TaskOptions & CallOptions): BoundCall<F>
}

export interface TaskFacts {
  readonly language: string
  /** `language:module:name` */
  readonly functionName: string
  readonly isGenerator: boolean
}

const defaults: CallBehaviour = { retries: 3 }

/** Finds the callable of a task in the current session, and remembers it. */
export class TaskTarget {
  readonly #facts: TaskFacts
  readonly #options: TaskOptions
  #session: Session | undefined
  #callable: Callable | undefined

  constructor(facts: TaskFacts, options: TaskOptions) {
    this.#facts = facts
    this.#options = options
  }

  call(args: readonly unknown[], options?: BoundOptions): unknown {
    const session = currentSession('calling a task')
    return session.endpoint.invoke(this.callable(session), args, options)
  }

  callable(session: Session): Callable {
    if (session !== this.#session || this.#callable === undefined) this.#connect(session)
    return this.#callable!
  }

  /** The core's number of the task's options together with those of a call. */
  optionNumber(session: Session, behaviour: CallBehaviour): number {
    const own = splitOptions(this.#options).behaviour
    return session.endpoint.optionNumber({ ...defaults, ...own, ...behaviour })
  }

  #connect(session: Session): void {
    const { language, functionName, isGenerator } = this.#facts
    const { flow, rest } = splitOptions(this.#options)
    const { resources, environment } = rest
    // The priority is none of the shape's: a worker goes on with its target for as long as something waits there, so tasks
    // of a higher one would come last if they waited elsewhere.
    const needs = { ...resources, cpu: resources?.cpu ?? 1 }
    const target = session.taskTarget({ language, resources: needs, environment }, flow)
    const kind = isGenerator ? ResultKind.stream : ResultKind.unknown
    const options = this.optionNumber(session, {})
    this.#callable = session.endpoint.callable(target, functionName, kind, options)
    this.#session = session
  }
}

/** A task with options for its calls, of which the core is told once per session. */
class BoundTask {
  readonly #target: TaskTarget
  readonly #limits: CallOptions
  readonly #behaviour: CallBehaviour
  #session: Session | undefined
  #options: BoundOptions = {}

  constructor(target: TaskTarget, limits: CallOptions, behaviour: CallBehaviour) {
    this.#target = target
    this.#limits = limits
    this.#behaviour = behaviour
  }

  call(args: readonly unknown[]): unknown {
    if (Object.keys(this.#behaviour).length === 0) return this.#target.call(args, this.#limits)
    const session = currentSession('calling a task')
    if (session !== this.#session) {
      const number = this.#target.optionNumber(session, this.#behaviour)
      this.#options = { ...this.#limits, number }
      this.#session = session
    }
    return this.#target.call(args, this.#options)
  }
}

const targets = new WeakMap<object, TaskTarget>()

/** Where the calls of a task go; undefined for everything else. */
export function taskTargetOf(task: unknown): TaskTarget | undefined {
  return typeof task === 'function' ? targets.get(task) : undefined
}

export function makeTask<F extends AnyFunction>(
  facts: TaskFacts,
  options: TaskOptions = {},
): Task<F> {
  const target = new TaskTarget(facts, options)
  const task = (...args: unknown[]): unknown => target.call(args)
  const withOptions = (given: TaskOptions & CallOptions): unknown => {
    checkTaskCallOptions(given)
    const { timeoutMs, signal, ...others } = given
    const limits: CallOptions = {}
    if (timeoutMs !== undefined) limits.timeoutMs = timeoutMs
    if (signal !== undefined) limits.signal = signal
    const { behaviour, flow, rest } = splitOptions(others)
    const isElsewhere = Object.keys({ ...flow, ...rest }).length > 0
    const other = isElsewhere ? new TaskTarget(facts, { ...options, ...flow, ...rest }) : target
    const bound = new BoundTask(other, limits, behaviour)
    return (...args: unknown[]): unknown => bound.call(args)
  }
  const otherTask = (given: TaskOptions): Task<F> => {
    checkTaskOptions(given)
    return makeTask(facts, { ...options, ...given })
  }
  targets.set(task, target)
  return Object.assign(task, { with: withOptions, options: otherTask }) as unknown as Task<F>
}
