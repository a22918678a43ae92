import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingCall } from '../runtime/incoming-call.ts'
import { currentSession, type Session } from './session.ts'

/** The actor that executes a call. */
export interface ActorIdentity {
  /** Its id in hexadecimal digits. */
  readonly id: string
  readonly name: string | undefined
  readonly namespace: string | undefined
  /** `module:name` of its class. */
  readonly class: string
}

const never = new AbortController().signal

/** Where the running code is: what is known of the call that it executes. */
export class Context {
  /** The number of this process or thread in the session. */
  readonly endpoint: number
  readonly role: 'driver' | 'worker'
  readonly session: string | undefined
  readonly actor: ActorIdentity | undefined
  /** How often the actor has been restarted; 0 outside of actors. */
  readonly restartCount: number
  /** Indices of the GPUs that the actor has; empty for actors without, and outside of actors: tasks are not told theirs. */
  readonly gpus: readonly number[]
  readonly #call: IncomingCall | undefined
  #abort: AbortController | undefined

  /** @internal Use context(). */
  constructor(session: Session, call: IncomingCall | undefined, state: CallState | undefined) {
    this.endpoint = session.endpoint.info.endpointId
    this.role = session.role
    this.session = process.env['THORNBACK_SESSION']
    this.actor = state?.actor?.identity
    this.restartCount = state?.actor?.restartCount ?? 0
    this.gpus = state?.actor?.gpus ?? []
    this.#call = call
  }

  /** Name of the task or method that is executed; undefined outside of a call. */
  get function(): string | undefined {
    return this.#call?.function
  }

  /** Whether the actor was started again after its process had died: its state is that of its constructor. */
  get wasRestarted(): boolean {
    return this.restartCount > 0
  }

  /** Milliseconds until the caller gives up; Infinity if it waits for ever. */
  get remainingMs(): number {
    const deadline = this.#call?.deadlineNs ?? 0
    return deadline === 0 ? Infinity : (deadline - Number(process.hrtime.bigint())) / 1e6
  }

  /** Aborted when the caller cancels the call, or leaves the stream that it produces. */
  get signal(): AbortSignal {
    if (this.#call === undefined) return never
    this.#abort ??= new AbortController()
    if (this.#call.isCancelled) this.#abort.abort()
    return this.#abort.signal
  }

  /** The same as a question, for code that computes for long without awaiting: it is told meanwhile. */
  get isCancelled(): boolean {
    return this.#call?.isWanted === false
  }

  /** @internal The caller wants no result any more. */
  cancel(): void {
    this.#abort?.abort()
  }
}

/** @internal The calls that are being executed, by async context. */
export const runningCalls = new AsyncLocalStorage<IncomingCall>()

/** @internal What a worker knows of an actor that it hosts. */
export interface HostedActor {
  readonly identity: ActorIdentity
  /** How often it was restarted. */
  readonly restartCount: number
  /** Indices of its GPUs. */
  readonly gpus: readonly number[]
}

/** @internal What a worker keeps with a call that it executes. */
export class CallState {
  readonly actor: HostedActor | undefined
  context: Context | undefined = undefined

  constructor(actor: HostedActor | undefined) {
    this.actor = actor
  }
}

/** Where the running code is: in a driver, or in a worker that executes a call. */
export function context(): Context {
  const session = currentSession('context')
  const call = runningCalls.getStore()
  if (call === undefined) return new Context(session, undefined, undefined)
  const state = call.attachment as CallState
  return (state.context ??= new Context(session, call, state))
}
