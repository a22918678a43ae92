import { totalmem } from 'node:os'
import { makeError } from './errors.ts'

/** Refuses a store that the machine could never fill: the node would die of it later, far from the cause. */
export function checkStoreFits(storeBytes: number, memoryBytes = machineMemory()): void {
  if (storeBytes <= memoryBytes) return
  throw makeError('RESOURCE_LIMIT', {
    what: 'the object store',
    need: `${storeBytes} bytes of memory`,
    has: `${memoryBytes}`,
    fix: 'give init() a smaller store size, or none for 30 % of memory',
  })
}

/** What this process and its children may use: all of the machine's, or what its container has. */
function machineMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
