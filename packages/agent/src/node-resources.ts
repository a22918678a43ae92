import { totalmem } from 'node:os'
import { invalidArgument } from './errors.ts'
import { type Amounts, toUnits, unitsPerOne } from './resource-amounts.ts'

const path = 'agent options.resources'

/** What the options say that the node has; wrong ones are reported with their full path. */
export function checkNodeResources(given: Readonly<Record<string, number>>): Amounts {
  const total = new Map<string, number>()
  for (const [name, amount] of Object.entries(given)) {
    const own = `${path}.${name}`
    if (name === 'cpu') throw invalidArgument(own, 'CPUs are given by the option cpus')
    const units = toUnits(own, name, amount)
    if (name === 'gpu' && units % unitsPerOne !== 0)
      throw invalidArgument(own, 'must be a whole number')
    total.set(name, units)
  }
  return total
}

/** Everything that tasks and actors share out: the machine's memory unless the options say otherwise. */
export function nodeResources(
  cpus: number,
  given: Readonly<Record<string, number>>,
  memoryBytes = machineMemory(),
): Amounts {
  const own = new Map([
    ['cpu', cpus * unitsPerOne],
    ['memory', memoryBytes],
  ])
  return new Map([...own, ...checkNodeResources(given)])
}

/** The memory of the machine, or of the container if that has less. */
function machineMemory(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
