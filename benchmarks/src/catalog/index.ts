import { calls } from './calls.ts'
import type { Case } from './case.ts'
import { flow } from './flow.ts'
import { objects } from './objects.ts'
import { start } from './start.ts'
import { tasks } from './tasks.ts'

export {
  type Calibrator,
  type Case,
  type Parameters,
  type Suite,
  type Unit,
  isCost,
  suites,
} from './case.ts'

export const allCases: readonly Case[] = [...calls, ...tasks, ...objects, ...start, ...flow]
