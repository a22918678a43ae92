// The program that calls from TypeScript: node driver.ts --callee python|typescript [--prestart N]
import { parseArgs } from 'node:util'
import { Bench } from './bench.ts'
import { callActions } from './calls.ts'
import { objectActions } from './objects.ts'
import { serve } from './protocol.ts'
import { startActions } from './start.ts'
import { taskActions } from './tasks.ts'

const { values } = parseArgs({
  options: { callee: { type: 'string', default: 'python' }, prestart: { type: 'string' } },
})
const prestart = values.prestart === undefined ? undefined : Number(values.prestart)
const bench = new Bench(values.callee, prestart)
await serve({
  ...callActions(bench),
  ...taskActions(bench),
  ...objectActions(bench),
  ...startActions(bench),
})
await bench.close()
