import { type Actor, type ActorRegistry, diedError, displayName } from './actors.ts'
import type { Dispatcher, LostWorker } from './dispatcher.ts'
import type { Endpoint } from './endpoint.ts'
import type { WorkerEnvironment } from './environment.ts'
import { makeError, RemoteError, ThornbackError } from './errors.ts'
import type { Host } from './hosts.ts'
import type { LogRelay } from './log-relay.ts'
import type { Slot } from './pool.ts'

/** What the worker needs to construct the actor. */
export interface Construction {
  readonly environment: WorkerEnvironment
  readonly cpu: number
  /** May live in a process together with other actors that share. */
  readonly share: boolean
  /** A ref to `[positional, keywords]`, passed on unread. */
  readonly args: unknown
  /** The creator's options, passed on unchanged. */
  readonly options: unknown
}

interface Process {
  readonly slot: Slot
  readonly host: Host
  /** Which actors may move in; null for none. */
  readonly shareKey: string | null
  readonly actors: Set<Actor>
  nextInstance: number
}

const endMs = 2_000

/** Brings actors to life on workers, and ends them. */
export class ActorHost {
  readonly #registry: ActorRegistry
  readonly #dispatcher: Dispatcher
  readonly #endpoint: Endpoint
  readonly #relay: LogRelay
  readonly #processes = new Map<string, Process>()
  /** Actors that wait for a worker, with the number of their request. */
  readonly #requests = new Map<Actor, { id: number; shareKey: string | null }>()
  /** Shared processes on their way, and who else will move in. */
  readonly #arriving = new Map<string, [Actor, Construction][]>()

  constructor(
    registry: ActorRegistry,
    dispatcher: Dispatcher,
    endpoint: Endpoint,
    relay: LogRelay,
  ) {
    this.#registry = registry
    this.#dispatcher = dispatcher
    this.#endpoint = endpoint
    this.#relay = relay
  }

  /** Starts an actor that was just entered into the registry; the registry tells whoever waits for it. */
  start(actor: Actor, construction: Construction): void {
    const shareKey = construction.share ? this.#shareKey(actor, construction) : null
    if (shareKey !== null && this.#moveIn(shareKey, actor, construction)) return
    const { environment, cpu } = construction
    try {
      const id = this.#dispatcher.request({
        use: 'actor',
        language: actor.language,
        environment,
        cpu,
        job: actor.job,
        holder: actor.creator,
        granted: (slot) => this.#granted(slot, shareKey, actor, construction),
        failed: (error) => this.#failed(shareKey, actor, error),
      })
      if (actor.state === 'pending') this.#requests.set(actor, { id, shareKey })
    } catch (error) {
      this.#failed(shareKey, actor, error as ThornbackError)
    }
  }

  /** Ends an actor: at once, or after its worker was asked to end it. Settles when its calls have stopped. */
  async kill(actor: Actor, reason: string, graceful: boolean): Promise<void> {
    if (actor.state === 'dead') return
    const process = actor.token === null ? undefined : this.#processes.get(actor.token)
    const instance = actor.address?.[1]
    this.#registry.dead(actor, diedError(actor, reason))
    this.#withdraw(actor)
    if (!process) return
    process.actors.delete(actor)
    if (process.actors.size > 0) {
      if (instance !== undefined) await this.#destroy(process, instance)
      return
    }
    await this.#endProcess(process, graceful)
  }

  /** The worker is gone; its actors are dead. */
  async lost(worker: Pick<LostWorker, 'token' | 'describe'>): Promise<void> {
    const process = this.#processes.get(worker.token)
    if (!process) return
    this.#processes.delete(worker.token)
    const starting = new Set([...process.actors].filter(({ state }) => state === 'starting'))
    for (const actor of process.actors) this.#registry.dying(actor)
    const reason = await worker.describe()
    for (const actor of process.actors) {
      const error = starting.has(actor) ? creationError(actor, reason) : diedError(actor, reason)
      this.#registry.dead(actor, error)
    }
  }

  endWhere(matches: (actor: Actor) => boolean, reason: string): void {
    for (const actor of this.#registry.living(matches)) void this.kill(actor, reason, false)
  }

  #shareKey(actor: Actor, { environment }: Construction): string {
    return `${actor.job} ${this.#dispatcher.poolFor(actor.language, 'actor', environment)}`
  }

  /** True if a shared process exists, or comes, and the actor will live there. */
  #moveIn(shareKey: string, actor: Actor, construction: Construction): boolean {
    for (const process of this.#processes.values()) {
      if (process.shareKey !== shareKey) continue
      void this.#construct(process, actor, construction)
      return true
    }
    const arriving = this.#arriving.get(shareKey)
    if (!arriving) {
      this.#arriving.set(shareKey, [])
      return false
    }
    arriving.push([actor, construction])
    return true
  }

  #granted(slot: Slot, shareKey: string | null, actor: Actor, construction: Construction): void {
    this.#requests.delete(actor)
    const host = this.#dispatcher.hosts.get(slot.host)!
    const process: Process = { slot, host, shareKey, actors: new Set(), nextInstance: 1 }
    this.#processes.set(slot.token, process)
    const name = shareKey === null ? displayName(actor) : `${actor.language} actors`
    this.#relay.rename(slot.host, name)
    void this.#construct(process, actor, construction)
    for (const [other, theirs] of this.#takeArriving(shareKey)) {
      void this.#construct(process, other, theirs)
    }
  }

  #failed(shareKey: string | null, actor: Actor, error: ThornbackError): void {
    this.#requests.delete(actor)
    this.#registry.dead(actor, error)
    for (const [other] of this.#takeArriving(shareKey)) this.#registry.dead(other, error)
  }

  /** Gives up the wish for a worker; those who wanted to move in with the actor start again without it. */
  #withdraw(actor: Actor): void {
    const request = this.#requests.get(actor)
    if (!request) return
    this.#requests.delete(actor)
    this.#dispatcher.withdraw(request.id)
    for (const [other, theirs] of this.#takeArriving(request.shareKey)) this.start(other, theirs)
  }

  #takeArriving(shareKey: string | null): [Actor, Construction][] {
    const arriving = (shareKey !== null && this.#arriving.get(shareKey)) || []
    if (shareKey !== null) this.#arriving.delete(shareKey)
    return arriving.filter(([actor]) => actor.state === 'pending')
  }

  async #construct(process: Process, actor: Actor, construction: Construction): Promise<void> {
    const instance = process.nextInstance++
    const { endpoint, token } = process.slot
    process.actors.add(actor)
    this.#registry.starting(actor, token)
    const { args, options } = construction
    const id = Buffer.from(actor.id, 'hex')
    const call = [instance, id, actor.className, args, options]
    try {
      await this.#endpoint.call(endpoint, 0, 'worker::create_actor', call)
    } catch (error) {
      await this.#constructionFailed(process, actor, error)
      return
    }
    // It may have been killed meanwhile.
    if (actor.state === 'dead') await this.#destroy(process, instance)
    else this.#registry.alive(actor, [endpoint, instance])
  }

  async #constructionFailed(process: Process, actor: Actor, error: unknown): Promise<void> {
    const { token } = process.slot
    if (!this.#processes.has(token)) return
    if (error instanceof ThornbackError && error.fault === 'peer') {
      // The worker died; how is known in a moment.
      await this.lost({ token, describe: () => this.#dispatcher.hosts.describeEnd(process.host) })
      return
    }
    process.actors.delete(actor)
    this.#registry.dead(actor, creationError(actor, reasonOf(error), causeOf(error)))
    if (process.actors.size === 0) await this.#endProcess(process, false)
  }

  async #destroy(process: Process, instance: number): Promise<void> {
    const { endpoint } = process.slot
    const call = this.#endpoint.call(endpoint, 0, 'worker::destroy_actor', [instance])
    await settled(call, endMs)
  }

  async #endProcess(process: Process, graceful: boolean): Promise<void> {
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

function creationError(actor: Actor, reason: string, cause?: unknown): ThornbackError {
  return makeError('ACTOR_CREATION_FAILED', { actor: displayName(actor), reason }, { cause: cause })
}

/** The exception of the constructor itself, without the layer that says it was remote. */
function causeOf(error: unknown): unknown {
  return error instanceof RemoteError && error.cause !== undefined ? error.cause : error
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
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
