// Tasks for tests of the agent with real workers.

import { writeFileSync } from 'node:fs'

export function square(n: number): number {
  return n * n
}

/** Computes without ever giving its thread back; a file tells that it does. */
export function spin(file: string): never {
  writeFileSync(file, '')
  for (;;);
}
