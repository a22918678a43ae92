import { type Callable, type CallOptions, ResultKind } from '../runtime/callable.ts'
import { checkTaskOptions, type TaskOptions } from './options.ts'
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

/** Finds the callable of a task in the current session, and remembers it. */
class TaskTarget {
  readonly #facts: TaskFacts
  readonly #options: TaskOptions
  #session: Session | undefined
  #callable: Callable | undefined

  constructor(facts: TaskFacts, options: TaskOptions) {
    this.#facts = facts
    this.#options = options
  }

  call(args: readonly unknown[], options?: CallOptions): unknown {
    const session = currentSession('calling a task')
    if (session !== this.#session || this.#callable === undefined) this.#connect(session)
    return session.endpoint.invoke(this.#callable!, args, options)
  }

  #connect(session: Session): void {
    const { language, functionName, isGenerator } = this.#facts
    const { resources, environment } = this.#options
    const target = session.taskTarget({ language, cpu: resources?.cpu, environment })
    const kind = isGenerator ? ResultKind.stream : ResultKind.unknown
    this.#callable = session.endpoint.callable(target, functionName, kind)
    this.#session = session
  }
}

export function makeTask<F extends AnyFunction>(
  facts: TaskFacts,
  options: TaskOptions = {},
): Task<F> {
  const target = new TaskTarget(facts, options)
  const task = (...args: unknown[]): unknown => target.call(args)
  const withOptions = (given: TaskOptions & CallOptions): unknown => {
    checkTaskOptions(given)
    const { timeoutMs, signal, ...others } = given
    const limits: CallOptions = {}
    if (timeoutMs !== undefined) limits.timeoutMs = timeoutMs
    if (signal !== undefined) limits.signal = signal
    const other =
      Object.keys(others).length === 0 ? target : new TaskTarget(facts, { ...options, ...others })
    return (...args: unknown[]): unknown => other.call(args, limits)
  }
  const otherTask = (given: TaskOptions): Task<F> => {
    checkTaskOptions(given)
    return makeTask(facts, { ...options, ...given })
  }
  return Object.assign(task, { with: withOptions, options: otherTask }) as unknown as Task<F>
}
