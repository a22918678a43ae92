// The program that calls from TypeScript: node driver.ts --callee python|typescript [--prestart N] [--store-bytes N]
import { parseArgs } from 'node:util'
import { Bench } from './bench.ts'
import { callActions } from './calls.ts'
import { deathActions } from './deaths.ts'
import { flowActions } from './flow.ts'
import { objectActions } from './objects.ts'
import { serve } from './protocol.ts'
import { startActions } from './start.ts'
import { streamActions } from './streaming.ts'
import { taskActions } from './tasks.ts'

const { values } = parseArgs({
  options: {
    callee: { type: 'string', default: 'python' },
    prestart: { type: 'string' },
    'store-bytes': { type: 'string' },
  },
})
const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)
const bench = new Bench(values.callee, {
  prestart: number(values.prestart),
  storeBytes: number(values['store-bytes']),
})
await serve({
  ...callActions(bench),
  ...taskActions(bench),
  ...objectActions(bench),
  ...startActions(bench),
  ...flowActions(bench),
  ...deathActions(bench),
  ...streamActions(bench),
})
await bench.close()
