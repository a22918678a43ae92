// Checks of amounts of resources: the node agent's rules, so that a wrong amount is reported where it is given.

import { amount, check, checkObject, type Check, wrong } from './option-checks.ts'

/** How many units one CPU, GPU or license is; memory is counted in bytes. */
const unitsPerOne = 10_000

const resource = (name: string, value: unknown, path: string): void => {
  check(path, name !== '', 'a resource needs a name')
  amount(value, path)
  const scale = name === 'memory' ? 1 : unitsPerOne
  const units = Math.round((value as number) * scale)
  const max = Math.floor(Number.MAX_SAFE_INTEGER / scale)
  check(path, Number.isSafeInteger(units), `must be at most ${max.toLocaleString('en')}`)
  // Both sides are rounded once from the same decimal, so they are equal when nothing was cut off.
  const step = scale === 1 ? 'a whole number of bytes' : 'a multiple of 0.0001'
  check(path, units / scale === value, `must be ${step}`)
}

/** Checks what is given; members that are undefined count as missing. */
function each(value: unknown, path: string, one: (name: string, value: number) => void): void {
  checkObject(value, path)
  for (const [name, member] of Object.entries(value as object)) {
    if (member === undefined) continue
    resource(name, member, `${path}.${name}`)
    one(name, member as number)
  }
}

/** What a task or an actor needs. */
export const neededResources: Check = (value, path) => {
  each(value, path, (name, needed) => {
    const fits = name !== 'gpu' || needed < 1 || Number.isInteger(needed)
    check(`${path}.${name}`, fits, 'must be a whole number, or a fraction below 1')
  })
}

/** What a node has besides its CPUs. */
export const nodeResources: Check = (value, path) => {
  each(value, path, (name, owned) => {
    if (name === 'cpu') throw wrong(`${path}.cpu`, 'CPUs are given by the option cpus')
    const fits = name !== 'gpu' || Number.isInteger(owned)
    check(`${path}.${name}`, fits, 'must be a whole number')
  })
}
