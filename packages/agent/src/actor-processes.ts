import type { Actor } from './actors.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Endpoint } from './endpoint.ts'
import { ThornbackError } from './errors.ts'
import type { Host } from './hosts.ts'
import type { Slot } from './pool.ts'

/** A worker process in which actors live. */
export interface ActorProcess {
  readonly slot: Slot
  readonly host: Host
  /** Which actors may move in; null for none. */
  readonly shareKey: string | null
  readonly actors: Set<Actor>
  nextInstance: number
}

const endMs = 2_000

/** The processes in which actors live, by the token of the worker. */
export class ActorProcesses {
  readonly #dispatcher: Dispatcher
  readonly #endpoint: Endpoint
  readonly #processes = new Map<string, ActorProcess>()

  constructor(dispatcher: Dispatcher, endpoint: Endpoint) {
    this.#dispatcher = dispatcher
    this.#endpoint = endpoint
  }

  add(slot: Slot, shareKey: string | null): ActorProcess {
    const host = this.#dispatcher.hosts.get(slot.host)!
    const process = { slot, host, shareKey, actors: new Set<Actor>(), nextInstance: 1 }
    this.#processes.set(slot.token, process)
    return process
  }

  get(token: string): ActorProcess | undefined {
    return this.#processes.get(token)
  }

  has({ slot }: ActorProcess): boolean {
    return this.#processes.has(slot.token)
  }

  remove(token: string): ActorProcess | undefined {
    const process = this.#processes.get(token)
    this.#processes.delete(token)
    return process
  }

  sharedBy(shareKey: string): ActorProcess | undefined {
    return [...this.#processes.values()].find((process) => process.shareKey === shareKey)
  }

  /** Whether a call failed because the process is gone: another one may also fail with what happened to a third. */
  async isGone({ slot }: ActorProcess, error: unknown): Promise<boolean> {
    if (!isPeerFault(error)) return false
    try {
      await this.#endpoint.call(slot.endpoint, 0, 'worker::is_unused', [])
      return false
    } catch (answer) {
      return isPeerFault(answer)
    }
  }

  /** Ends one of several actors of a process. */
  async destroy({ slot }: ActorProcess, instance: number): Promise<void> {
    const call = this.#endpoint.call(slot.endpoint, 0, 'worker::destroy_actor', [instance])
    await settled(call, endMs)
  }

  /** Ends the process: at once, or after it was asked to. */
  async end(process: ActorProcess, graceful: boolean): Promise<void> {
    const { slot, host } = process
    this.#processes.delete(slot.token)
    if (graceful) {
      this.#dispatcher.retire(slot)
      await this.#dispatcher.hosts.stop(host, endMs, endMs / 4)
    } else {
      this.#dispatcher.kill(slot)
      await settled(host.ended.promise, endMs)
    }
  }
}

function isPeerFault(error: unknown): boolean {
  return error instanceof ThornbackError && error.fault === 'peer'
}

function settled(promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    promise.then(done, done)
  })
}
