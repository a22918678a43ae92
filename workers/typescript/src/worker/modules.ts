// Finding what a call names: the module, then the function or class in it.

import { readdirSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { makeError } from '../errors/index.ts'
import { type Definition, definitionOf, definitionsOf } from '../sdk/registry.ts'
import { isInitInWorker, thread } from '../sdk/session.ts'
import type { AnyFunction } from '../sdk/remote-types.ts'
import { available } from './close-matches.ts'

type Exports = Readonly<Record<string, unknown>>
type Constructor = new (...args: unknown[]) => object

/** The URL of a module; paths and packages are looked up from the working folder. */
function urlOf(specifier: string): string {
  if (specifier.startsWith('file:') || isBuiltin(specifier)) return specifier
  if (specifier.startsWith('.') || isAbsolute(specifier)) {
    return pathToFileURL(resolve(specifier)).href
  }
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'worker.js')).resolve(specifier)).href
  } catch {
    // A package without an entry for `require`, or none at all: `import` says which.
    return specifier
  }
}

/** Imports a module of the user. Fails with NotFoundError, ImportFailedError or InitInWorkerError. */
async function load(specifier: string): Promise<{ url: string; exports: Exports }> {
  const url = urlOf(specifier)
  const outer = thread.importing
  thread.importing = specifier
  try {
    return { url, exports: (await import(url)) as Exports }
  } catch (error) {
    if (isInitInWorker(error)) throw error
    if (isMissing(error, url)) throw noModule(specifier, url, error)
    const reason = error instanceof Error ? error.message : String(error)
    throw makeError('IMPORT_FAILED', { module: specifier, reason }, { cause: error })
  } finally {
    thread.importing = outer
  }
}

/** Whether the module itself is missing, not one that it imports. */
function isMissing(error: unknown, url: string): boolean {
  const { code, url: missing } = error as { code?: string; url?: string }
  if (code === 'ERR_MODULE_NOT_FOUND') return missing === undefined || missing === url
  return code === 'ERR_UNSUPPORTED_DIR_IMPORT'
}

function noModule(specifier: string, url: string, cause: unknown): Error {
  let names: string[] = []
  let wanted = specifier
  if (url.startsWith('file:')) {
    const path = fileURLToPath(url)
    wanted = basename(path)
    try {
      names = readdirSync(dirname(path)).filter((name) => /\.[cm]?[jt]s$/.test(name))
    } catch {
      // The folder does not exist either.
    }
  }
  const fields = { kind: 'module', name: specifier, available: available(wanted, names) }
  return makeError('NOT_FOUND', fields, { cause })
}

function split(key: string): [module: string, name: string] {
  const at = key.lastIndexOf(':')
  if (at > 0) return [key.slice(0, at), key.slice(at + 1)]
  throw makeError('INVALID_ARGUMENT', { option: key, reason: 'must be "module:name"' })
}

async function find(key: string, kind: Definition['kind']): Promise<Definition> {
  const [specifier, name] = split(key)
  const { url, exports } = await load(specifier)
  const defined = definitionsOf(url)
  const exported = exports[name]
  const found = defined.get(name) ?? definitionOf(exported) ?? plain(kind, exported)
  if (found?.kind === kind) return found
  const names = [...defined]
    .filter(([, definition]) => definition.kind === kind)
    .map(([each]) => each)
  for (const [each, value] of Object.entries(exports)) {
    if (definitionOf(value)?.kind === kind || plain(kind, value) !== undefined) names.push(each)
  }
  throw makeError('NOT_FOUND', {
    kind: kind === 'task' ? 'function' : 'class',
    name: `${name} in ${specifier}`,
    available: available(name, names),
  })
}

/** An exported function or class that was not defined as task or actor. */
function plain(kind: Definition['kind'], exported: unknown): Definition | undefined {
  if (typeof exported !== 'function' || definitionOf(exported) !== undefined) return undefined
  const isClass = /^class\b/.test(Function.prototype.toString.call(exported))
  if (isClass !== (kind === 'actor')) return undefined
  return { kind, implementation: exported } as Definition
}

const tasks = new Map<string, AnyFunction>()

/** A task that was loaded before. */
export function loadedTask(key: string): AnyFunction | undefined {
  return tasks.get(key)
}

export async function loadTask(key: string): Promise<AnyFunction> {
  const { implementation } = await find(key, 'task')
  tasks.set(key, implementation as AnyFunction)
  return implementation as AnyFunction
}

export async function loadClass(key: string): Promise<Constructor> {
  return (await find(key, 'actor')).implementation as Constructor
}
