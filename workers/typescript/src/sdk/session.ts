import { Encoder } from '../codec/index.ts'
import { type InitInWorkerError, makeError, ThornbackError } from '../errors/index.ts'
import { type Callable, type CallOptions, ResultKind } from '../runtime/callable.ts'
import type { CallRef } from '../runtime/call-ref.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { FlowOptions } from '../runtime/flow.ts'

/** The process's, or worker thread's, part in a session. */
export class Session {
  readonly endpoint: Endpoint
  readonly role: 'driver' | 'worker'
  /** Name space of actors that are looked up or created without one; the agent's default when empty. */
  readonly namespace: string
  readonly #agentTarget: number
  readonly #agentCallables = new Map<string, Callable>()
  readonly #taskTargets = new Map<string, number>()
  /** What other files keep for the life of the session, by a key of their own. */
  readonly attachments = new Map<symbol, unknown>()

  constructor(endpoint: Endpoint, role: 'driver' | 'worker', namespace: string) {
    this.endpoint = endpoint
    this.role = role
    this.namespace = namespace
    this.#agentTarget = endpoint.native.targetEndpoint(0, 0)
    endpoint.flow.target(this.#agentTarget).inherits = false
  }

  /** A call to the node agent. */
  callAgent(name: string, args: readonly unknown[], options?: CallOptions): CallRef {
    let callable = this.#agentCallables.get(name)
    if (callable === undefined) {
      callable = this.endpoint.callable(this.#agentTarget, `agent::${name}`, ResultKind.value)
      this.#agentCallables.set(name, callable)
    }
    return this.endpoint.call(callable, args, options)
  }

  /** Where calls to tasks of this shape go: equal shapes with equal limits give one target, in whatever order they name what. */
  taskTarget(given: Readonly<Record<string, unknown>>, flow: FlowOptions): number {
    const shape = ordered(given)
    const key = JSON.stringify([shape, ordered(flow)])
    let target = this.#taskTargets.get(key)
    if (target === undefined) {
      const encoder = new Encoder()
      const end = encoder.encode(shape)
      target = this.endpoint.native.targetTasks(encoder.bytes.subarray(0, end))
      this.endpoint.flow.limit(target, flow)
      this.#taskTargets.set(key, target)
    }
    return target
  }

  /** One object per key, made when it is first asked for. */
  attachment<T>(key: symbol, make: () => T): T {
    if (!this.attachments.has(key)) this.attachments.set(key, make())
    return this.attachments.get(key) as T
  }
}

/** The same value with the members of all objects in order of their names, without those that are undefined. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  const sorted = members.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, member]) => [name, ordered(member)]))
}

interface ThreadState {
  session: Session | undefined
  /** The module that the worker is importing now. */
  importing: string | undefined
  isInitialising: boolean
  hadSession: boolean
}

// One per thread, even if the package is loaded twice: a module of the user's and the worker that imports it have to meet.
const key = Symbol.for('thornback.thread')
const holder = globalThis as unknown as Record<symbol, ThreadState | undefined>
export const thread: ThreadState = (holder[key] ??= {
  session: undefined,
  importing: undefined,
  isInitialising: false,
  hadSession: false,
})

/** The session; throws if there is none. `operation` names who asks. */
export function currentSession(operation: string): Session {
  const { session } = thread
  if (session !== undefined) return session
  throw thread.hadSession
    ? makeError('SESSION_CLOSED', {})
    : makeError('NOT_INITIALISED', { operation })
}

/** Throws unless `init` may begin now. */
export function checkMayInit(): void {
  if (thread.importing !== undefined) {
    const guard = '`if (import.meta.main)`'
    throw makeError('INIT_IN_WORKER', { module: thread.importing, guard })
  }
  if (thread.session !== undefined || thread.isInitialising) {
    throw makeError('ALREADY_INITIALISED', {})
  }
}

export function isInitInWorker(error: unknown): error is InitInWorkerError {
  return error instanceof ThornbackError && error.code === 'INIT_IN_WORKER'
}
