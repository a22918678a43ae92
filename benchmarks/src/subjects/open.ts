import type { Case } from '../catalog/index.ts'
import { benchmarks } from '../paths.ts'
import { openCalibrator } from './calibrator.ts'
import { Driver } from './driver.ts'
import { openEngineCalls } from './engine-calls.ts'
import { onCpu } from './one-cpu.ts'
import type { Programs, Subject } from './subject.ts'

const languages: Readonly<Record<string, string>> = { ts: 'typescript', py: 'python' }

/** The subject of that name for one case. */
export function openSubject(name: string, each: Case, programs: Programs): Subject {
  if (name === 'cpp>cpp') return openEngineCalls(each)
  if (name === 'ray') return openRay(each, programs)
  const limit = each.limits[name]
  if (limit === 'rings' || limit === 'socket') return openBare(limit, each, programs)
  if (limit !== undefined) return openCalibrator(limit)
  return openPair(name, each, programs)
}

function openPair(name: string, each: Case, programs: Programs): Driver {
  const [caller, callee] = name.split('>').map((short) => languages[short])
  if (caller === undefined || callee === undefined) throw new Error(`there is no subject ${name}`)
  const program =
    caller === 'typescript'
      ? [programs.node, `${benchmarks}/drivers/typescript/driver.ts`]
      : [programs.python, `${benchmarks}/drivers/python/driver.py`]
  const options = ['--callee', callee]
  if (each.prestart !== undefined) options.push('--prestart', String(each.prestart))
  if (each.storeBytes !== undefined) options.push('--store-bytes', String(each.storeBytes))
  return new Driver({
    command: onCpu(each, [...program, ...options]),
    // Python workers find the actors' module in the folder they are started in.
    cwd: `${benchmarks}/drivers/python`,
    environment: {
      THORNBACK_NODE: programs.node,
      THORNBACK_PYTHON: programs.python,
      ...(each.spins ? {} : { THORNBACK_SPIN_US: '0' }),
    },
    patienceSeconds: each.patienceSeconds ?? 120,
  })
}

function openRay(each: Case, programs: Programs): Driver {
  return new Driver({
    command: onCpu(each, [programs.rayPython, `${benchmarks}/drivers/python/ray_driver.py`]),
    cwd: `${benchmarks}/drivers/python`,
    environment: {
      RAY_USAGE_STATS_ENABLED: '0',
      RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO: '0',
      VIRTUAL_ENV: '',
      PYTHONPATH: '',
    },
    patienceSeconds: 300,
  })
}

function openBare(folder: string, each: Case, programs: Programs): Driver {
  const cwd = `${benchmarks}/drivers/${folder}`
  return new Driver({
    command: onCpu(each, [programs.node, `${cwd}/driver.ts`]),
    cwd,
    environment: { THORNBACK_PYTHON: programs.python },
    patienceSeconds: 60,
  })
}
