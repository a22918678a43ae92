import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Case } from '../catalog/index.ts'
import { root } from '../paths.ts'
import type { Sample } from '../sample.ts'
import { onCpu } from './one-cpu.ts'
import type { Request, Subject } from './subject.ts'

const run = promisify(execFile)
const program = `${root}/core-native/build/release/programs/thornback_engine_calls`

interface EngineLine {
  case?: string
  calls_per_s?: number
  p50_us?: number
  p99_us?: number
}

/** `cpp>cpp`: calls over the C ABI alone. The program measures all its cases at once and checks every echo itself. */
export function openEngineCalls(each: Case): Subject {
  const [command, ...args] = onCpu(each, [program, ...(each.spins ? [] : ['0'])])
  return {
    async measure(request: Request): Promise<Sample> {
      const { stdout } = await run(command!, args, { timeout: 60_000 })
      const lines = stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as EngineLine)
      return sampleOf(lines, request)
    },
    close: () => Promise.resolve(),
  }
}

function sampleOf(lines: readonly EngineLine[], { does, parameters }: Request): Sample {
  const oneAtATime = parameters['pauseMs'] === undefined ? 'sync' : 'sync-sparse'
  const name = does === 'in-flight' ? `window-${parameters['window']}` : oneAtATime
  const line = lines.find((row) => row.case === name)
  if (line?.calls_per_s === undefined || line.p50_us === undefined || line.p99_us === undefined) {
    throw new Error(`thornback_engine_calls gave no figure for ${name}`)
  }
  const value = name === 'sync-sparse' ? line.p50_us : line.calls_per_s
  return { value, p50: line.p50_us, p99: line.p99_us, checked: 1 }
}
