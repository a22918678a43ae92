// What the modules of this thread define, by the module's URL and the name. A worker that imports a module finds here what it
// has to execute.

import { makeError } from '../errors/index.ts'
import { isGeneratorFunction } from '../runtime/generators.ts'
import { ActorClass } from './actor-class.ts'
import type { AnyClass, AnyFunction } from './remote-types.ts'
import { makeTask, type Task } from './task.ts'

export type Definition =
  | { readonly kind: 'task'; readonly implementation: AnyFunction }
  | { readonly kind: 'actor'; readonly implementation: new (...args: unknown[]) => object }

const key = Symbol.for('thornback.definitions')
const holder = globalThis as unknown as Record<symbol, Definitions | undefined>
type Definitions = Map<string, Map<string, Definition>>
const definitions: Definitions = (holder[key] ??= new Map<string, Map<string, Definition>>())

/** What a module has defined so far. */
export function definitionsOf(moduleUrl: string): ReadonlyMap<string, Definition> {
  return definitions.get(moduleUrl) ?? new Map<string, Definition>()
}

/** What an exported task or actor class stands for. */
const byExport = new WeakMap<object, Definition>()

export function definitionOf(exported: unknown): Definition | undefined {
  const isObject =
    typeof exported === 'function' || (typeof exported === 'object' && exported !== null)
  return isObject ? byExport.get(exported) : undefined
}

function define(meta: ImportMeta, name: string, definition: Definition): void {
  if (typeof name !== 'string' || !/^[^:\s]+$/.test(name)) {
    throw makeError('INVALID_ARGUMENT', { option: 'name', reason: 'must be a word without colons' })
  }
  if (typeof meta?.url !== 'string' || !meta.url.startsWith('file:')) {
    const reason = 'must be the import.meta of a module in a file: workers import it'
    throw makeError('INVALID_ARGUMENT', { option: 'meta', reason })
  }
  let ofModule = definitions.get(meta.url)
  if (ofModule === undefined) definitions.set(meta.url, (ofModule = new Map<string, Definition>()))
  ofModule.set(name, definition)
}

/**
 * Makes a task of a function: `defineTask(import.meta, 'square', (n: number) => n * n)`.
 *
 * Workers import the module that defines it, so it has to be defined when the module is imported, under a name of its own;
 * what the module does besides defining has to stand behind `if (import.meta.main)`. The function gets copies of its
 * arguments; it sees no variables that the module changes later.
 */
export function defineTask<F extends AnyFunction>(meta: ImportMeta, name: string, run: F): Task<F> {
  if (typeof run !== 'function') {
    throw makeError('INVALID_ARGUMENT', { option: 'run', reason: 'must be a function' })
  }
  define(meta, name, { kind: 'task', implementation: run })
  const functionName = `typescript:${meta.url}:${name}`
  return makeTask<F>({
    language: 'typescript',
    functionName,
    isGenerator: isGeneratorFunction(run),
  })
}

/**
 * Makes an actor class of a class: `defineActor(import.meta, 'Counter', class { ... })`. What is said of `defineTask` about
 * the module holds here too.
 */
export function defineActor<C extends AnyClass>(
  meta: ImportMeta,
  name: string,
  implementation: C,
): ActorClass<InstanceType<C>, ConstructorParameters<C>> {
  if (typeof implementation !== 'function' || implementation.prototype === undefined) {
    throw makeError('INVALID_ARGUMENT', { option: 'implementation', reason: 'must be a class' })
  }
  const definition: Definition = { kind: 'actor', implementation: implementation as never }
  define(meta, name, definition)
  const methods = methodsOf(implementation)
  const prototype = implementation.prototype as Record<string, unknown>
  const generators = methods.filter((method) => isGeneratorFunction(prototype[method]))
  const classKey = `${meta.url}:${name}`
  const made = new ActorClass<InstanceType<C>, ConstructorParameters<C>>({
    language: 'typescript',
    key: classKey,
    methods,
    generators,
  })
  byExport.set(made, definition)
  return made
}

/** Names of the methods of a class and of those it extends. */
export function methodsOf(implementation: AnyClass): string[] {
  const names = new Set<string>()
  let prototype = implementation.prototype as object | null
  while (prototype !== null && prototype !== Object.prototype) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name !== 'constructor' && typeof value === 'function') names.add(name)
    }
    prototype = Object.getPrototypeOf(prototype) as object | null
  }
  return [...names].sort()
}
