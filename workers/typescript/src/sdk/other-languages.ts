import { makeError } from '../errors/index.ts'
import { ActorClass } from './actor-class.ts'
import type { AnyApi, AnyFunction } from './remote-types.ts'
import { makeTask, type Task } from './task.ts'

/** Tasks and actors that are written in one language, named by `module:name`. */
export interface Language {
  /**
   * A function as a task. The type describes it as if it were written here:
   * `python.task<(n: number) => number>('numbers:square')`.
   */
  task<F extends AnyFunction = UnknownFunction>(key: string): Task<F>
  /**
   * A class whose instances become actors. `Api` describes its methods, `Args` the arguments of its constructor:
   * `python.actor<ScorerApi>('scoring:Scorer')`.
   */
  actor<Api = AnyApi, Args extends readonly unknown[] = AnyArguments>(
    key: string,
  ): ActorClass<Api, Args>
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- nothing is known of the constructor
type AnyArguments = any[]
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- nothing is known of the function
type UnknownFunction = (...args: any[]) => any

function checkKey(key: string): void {
  const at = typeof key === 'string' ? key.lastIndexOf(':') : -1
  if (at <= 0 || at === key.length - 1) {
    throw makeError('INVALID_ARGUMENT', { option: 'key', reason: 'must be "module:name"' })
  }
}

function language(name: string): Language {
  return {
    task<F extends AnyFunction>(key: string): Task<F> {
      checkKey(key)
      return makeTask({ language: name, functionName: `${name}:${key}`, isGenerator: false })
    },
    actor<Api, Args extends readonly unknown[]>(key: string): ActorClass<Api, Args> {
      checkKey(key)
      return new ActorClass({ language: name, key, methods: null, generators: [] })
    },
  }
}

/** Functions and classes of Python modules; a module is found as Python's `import` finds it in the worker. */
export const python: Language = language('python')

/**
 * Functions and classes of TypeScript modules by name: a path relative to the session's working folder (`./web.ts:Counter`),
 * a `file:` URL, or a package. Exported functions and classes need not be defined with defineTask and defineActor.
 */
export const typescript: Language = language('typescript')
