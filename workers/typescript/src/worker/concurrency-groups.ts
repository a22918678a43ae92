import { makeError } from '../errors/index.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { ConcurrencyGroup } from '../sdk/options.ts'
import { available } from './close-matches.ts'

const unlimited = 2 ** 31

/**
 * Tells the core how many calls of an actor run at once, in which groups: it delivers no more. The error if a group names a
 * method that does not exist.
 */
export function openGroups(
  endpoint: Endpoint,
  instance: number,
  options: Readonly<Record<string, unknown>>,
  className: string,
  methodNames: readonly string[],
): Error | undefined {
  const max = options['maxConcurrency'] as number | null | undefined
  const given = options['concurrencyGroups'] as Record<string, ConcurrencyGroup> | null | undefined
  const groups = given instanceof Map ? [...given] : Object.entries(given ?? {})
  if ((max ?? null) === null && groups.length === 0) return undefined
  const names = ['']
  const limits = [max ?? unlimited]
  const methods: number[] = []
  for (const [name, { limit, methods: own }] of groups as [string, ConcurrencyGroup][]) {
    for (const method of own ?? []) {
      if (!methodNames.includes(method)) return noMethod(className, name, method, methodNames)
      methods.push(endpoint.functionId(`method::${method}`), names.length)
    }
    names.push(name)
    limits.push(limit)
  }
  const { native } = endpoint
  native.instanceGroups(
    instance,
    names.join('\n'),
    Uint32Array.from(limits),
    Uint32Array.from(methods),
  )
  return undefined
}

export function closeGroups({ native }: Endpoint, instance: number): void {
  native.instanceGroups(instance, '', new Uint32Array(0), new Uint32Array(0))
}

function noMethod(
  className: string,
  group: string,
  method: string,
  names: readonly string[],
): Error {
  const reason =
    `options.concurrencyGroups.${group}.methods: ${className} has no method ${method}; ` +
    `there is ${available(method, names)}`
  return makeError('ACTOR_CREATION_FAILED', { actor: className, reason })
}
