import { join } from 'node:path'

export const benchmarks = join(import.meta.dirname, '..')
export const root = join(benchmarks, '..')
