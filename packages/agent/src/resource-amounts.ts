import { invalidArgument } from './errors.ts'

/**
 * Amounts by the name of their resource, in whole units, so that sums are exact: bytes of memory, ten-thousandths of
 * everything else. What is not needed is missing.
 */
export type Amounts = ReadonlyMap<string, number>

/** How many units one CPU, GPU or license is. */
export const unitsPerOne = 10_000

export const noAmounts: Amounts = new Map()

/** Reads an amount as people give it; `path` names it in errors. */
export function toUnits(path: string, name: string, value: unknown): number {
  if (name === '') throw invalidArgument(path, 'a resource needs a name')
  const amount = typeof value === 'bigint' ? Number(value) : value
  if (typeof amount !== 'number' || !Number.isFinite(amount) || amount < 0) {
    throw invalidArgument(path, 'must be a number from 0')
  }
  const scale = scaleOf(name)
  const units = Math.round(amount * scale)
  if (!Number.isSafeInteger(units)) {
    throw invalidArgument(path, `must be at most ${Math.floor(Number.MAX_SAFE_INTEGER / scale)}`)
  }
  // Both sides are rounded once from the same decimal, so they are equal when nothing was cut off.
  if (units / scale !== amount) {
    const reason = scale === 1 ? 'must be a whole number of bytes' : 'must be a multiple of 0.0001'
    throw invalidArgument(path, reason)
  }
  return units
}

/** The amount as people write it. */
export function fromUnits(name: string, units: number): number {
  return units / scaleOf(name)
}

/** The amount with its unit, for messages: `2 CPUs`. */
export function describeAmount(name: string, units: number): string {
  const amount = fromUnits(name, units)
  if (name === 'cpu' || name === 'gpu') {
    return `${amount} ${name.toUpperCase()}${amount === 1 ? '' : 's'}`
  }
  return name === 'memory' ? `${amount} bytes of memory` : `${amount} ${name}`
}

function scaleOf(name: string): number {
  return name === 'memory' ? 1 : unitsPerOne
}
