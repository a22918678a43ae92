import { createHash } from 'node:crypto'
import { delimiter } from 'node:path'
import type { AgentOptions } from './options.ts'
import type { SessionFolder } from './session-folder.ts'

/** What makes workers of one language interchangeable: they run the same interpreter in the same surroundings. */
export interface WorkerEnvironment {
  /** Empty for the session's own, otherwise a digest of what differs. */
  readonly key: string
  readonly python: string
  readonly cwd: string
  readonly sysPath: readonly string[]
  readonly variables: Readonly<Record<string, string>>
}

/** What a shape or an actor's options may say; what is missing is the session's. */
export interface EnvironmentRequest {
  readonly python?: string | undefined
  readonly cwd?: string | undefined
  readonly sysPath?: readonly string[] | undefined
  readonly variables?: Readonly<Record<string, string>> | undefined
}

export function resolveEnvironment(
  request: EnvironmentRequest | undefined,
  options: AgentOptions,
): WorkerEnvironment {
  const environment = {
    python: request?.python ?? options.python,
    cwd: request?.cwd ?? options.cwd,
    sysPath: request?.sysPath ?? options.sysPath,
    variables: { ...options.environment, ...request?.variables },
  }
  return { key: request ? digest(environment, options) : '', ...environment }
}

function digest(environment: Omit<WorkerEnvironment, 'key'>, options: AgentOptions): string {
  const canonical = (value: Omit<WorkerEnvironment, 'key'>) =>
    JSON.stringify([
      value.python,
      value.cwd,
      value.sysPath,
      Object.entries(value.variables).sort(([a], [b]) => (a < b ? -1 : 1)),
    ])
  const own = canonical({ ...options, variables: options.environment })
  const text = canonical(environment)
  return text === own ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/**
 * The process environment of a worker (or fork server) without its token. Numeric libraries would start a thread per CPU in
 * each of as many workers as there are CPUs, so they get one unless the user says otherwise.
 */
export function processEnvironment(
  environment: WorkerEnvironment,
  folder: SessionFolder,
): Record<string, string | undefined> {
  const inherited = process.env['PYTHONPATH']
  const sysPath = [...environment.sysPath, ...(inherited ? [inherited] : [])]
  return {
    OMP_NUM_THREADS: '1',
    ...process.env,
    ...environment.variables,
    ...(sysPath.length > 0 ? { PYTHONPATH: sysPath.join(delimiter) } : {}),
    PYTHONUNBUFFERED: '1',
    THORNBACK_SOCKET: folder.socket,
    THORNBACK_SESSION: folder.session,
    THORNBACK_FOLDER: folder.path,
  }
}
