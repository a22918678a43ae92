import type { Fields } from './arguments.ts'
import { invalidArgument } from './errors.ts'
import { type Amounts, toUnits, unitsPerOne } from './resource-amounts.ts'

/**
 * What a task or an actor needs, from a map `{cpu?, memory?, gpu?, <custom>?}`; `cpuOtherwise` in units if it does not say.
 */
export function readRequest(given: Fields, cpuOtherwise: number): Amounts {
  const request = new Map<string, number>([['cpu', cpuOtherwise]])
  for (const name of given.names()) {
    const path = given.path(name)
    const units = toUnits(path, name, given.raw(name))
    if (name === 'gpu' && units > unitsPerOne && units % unitsPerOne !== 0) {
      throw invalidArgument(path, 'must be a whole number, or a fraction below 1')
    }
    request.set(name, units)
  }
  return new Map([...request].filter(([, units]) => units > 0))
}
