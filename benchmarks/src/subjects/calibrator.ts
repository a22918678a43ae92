import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Calibrator } from '../catalog/index.ts'
import { root } from '../paths.ts'
import type { Sample } from '../sample.ts'
import type { Subject } from './subject.ts'

const run = promisify(execFile)
const program = `${root}/core-native/build/release/programs/thornback_limit`

interface LimitRow {
  case: string
  unit: string
  median: number
  min: number
  max: number
  samples: number
  p99?: number
}

export async function runLimit(args: readonly string[]): Promise<LimitRow[]> {
  const { stdout } = await run(program, args, { timeout: 120_000 })
  return JSON.parse(stdout) as LimitRow[]
}

/** One sample of one figure. */
export async function takeCalibrator(name: string): Promise<number> {
  const [row] = await runLimit(['--case', name, '--repetitions', '1'])
  if (!row) throw new Error(`thornback_limit gave no figure for ${name}`)
  return row.median
}

/** The bare parts as a subject: one figure of thornback_limit per round. */
export function openCalibrator({ calibrator, convert }: Calibrator): Subject {
  return {
    async measure(): Promise<Sample> {
      const value = await takeCalibrator(calibrator)
      return { value: convert ? convert(value) : value, checked: 1 }
    },
    close: () => Promise.resolve(),
  }
}
