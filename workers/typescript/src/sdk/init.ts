import { dirname } from 'node:path'
import { makeError, type ThornbackError } from '../errors/index.ts'
import { Role } from '../native/binding.ts'
import { Endpoint } from '../runtime/endpoint.ts'
import { adoptHandle } from './actor-handle.ts'
import { AgentProcess } from './agent-process.ts'
import { Cluster } from './cluster.ts'
import { checkInitOptions } from './options.ts'
import { checkMayInit, Session, thread } from './session.ts'

export interface InitOptions {
  /**
   * A running session to join, as the path of its socket. By default what THORNBACK_ADDRESS says; without either a session of
   * one's own is started, which ends with this process.
   */
  address?: string
  /** Working folder of workers; by default this process's. */
  cwd?: string
  /** Python interpreter; by default what THORNBACK_PYTHON says, or `python3`. */
  python?: string
  /** Folders put in front of Python's module search, and of the program's own folder, which is searched too. */
  sysPath?: readonly string[]
  /** CPUs that tasks and actors share; by default all. */
  cpus?: number
  /**
   * What else they share, by names of one's own and `gpu`: `{ gpu: 2, license: 1 }`. `memory` in bytes is the machine's unless
   * it is given. Amounts are numbers from 0 in steps of 0.0001.
   */
  resources?: Readonly<Record<string, number>>
  /** Capacity of the object store in bytes; by default 30 % of memory. */
  storeBytes?: number
  /** Idle workers kept ready per language; by default one each. */
  prestart?: { python?: number; typescript?: number }
  /** Whether the output of workers appears on this process's stderr; true by default. */
  logToDriver?: boolean
  /** Namespace of actor names. */
  namespace?: string
  /** Environment variables of workers, added to this process's. */
  environment?: Readonly<Record<string, string>>
  /** How long a worker beyond `prestart` stays idle before it ends; 60 by default. */
  idleSeconds?: number
  /** Further calls are refused with BackPressureError while so many are unfinished; 1,000,000 by default. */
  pendingCallsMax?: number
  /** Whether to wait actively for some microseconds before sleeping; true by default. */
  spin?: boolean
}

/**
 * Starts a session, or joins one, and makes it this process's. Dispose what it returns at the end:
 * `await using cluster = await init()`.
 *
 * An open session alone does not keep the process running; calls that are not finished do. Fails with
 * AlreadyInitialisedError, ConnectionFailedError, VersionMismatchError, ResourceLimitError, InvalidArgumentError, and with
 * InitInWorkerError in a worker that imports a module which calls `init` without `if (import.meta.main)`.
 */
export async function init(options: InitOptions = {}): Promise<Cluster> {
  checkMayInit()
  checkInitOptions(options)
  thread.isInitialising = true
  try {
    const { address = process.env['THORNBACK_ADDRESS'], ...others } = options
    const agent = address === undefined ? await startAgent(others) : undefined
    return join(agent?.socket ?? address!, agent, options)
  } finally {
    thread.isInitialising = false
  }
}

function startAgent(options: Omit<InitOptions, 'address'>): Promise<AgentProcess> {
  const { pendingCallsMax: _calls, spin: _spin, sysPath = [], ...ofAgent } = options
  return AgentProcess.start({
    driverPid: process.pid,
    cwd: process.cwd(),
    ...ofAgent,
    sysPath: [...sysPath, ...programFolder()],
  })
}

/** The folder of the program's main file, where Python also looks for the modules of its scripts. */
function programFolder(): string[] {
  const main = process.argv[1]
  return main === undefined ? [] : [dirname(main)]
}

function join(socketPath: string, agent: AgentProcess | undefined, options: InitOptions): Cluster {
  const endpoint = attach(socketPath, options)
  const session = new Session(endpoint, 'driver', options.namespace ?? '')
  endpoint.makeActor = (fields) => adoptHandle(session, fields)
  thread.session = session
  thread.hadSession = true
  return new Cluster(session, socketPath, agent)
}

function attach(socketPath: string, { pendingCallsMax, spin }: InitOptions): Endpoint {
  try {
    return Endpoint.attach({
      role: Role.driver,
      socketPath,
      language: 'typescript',
      token: `driver ${process.pid}`,
      pendingCallsMax,
      spinNs: spin === false ? 0 : undefined,
    })
  } catch (error) {
    const { code, message } = error as Partial<ThornbackError>
    if (!['SYSTEM_ERROR', 'SESSION_CLOSED', 'NOT_FOUND'].includes(code ?? '')) throw error
    throw makeError('CONNECTION_FAILED', { address: socketPath, reason: message }, { cause: error })
  }
}
