import { ActorLife } from './actor-life.ts'
import { type ActorProcess, ActorProcesses } from './actor-processes.ts'
import { type Actor, type ActorRegistry, diedError, displayName } from './actors.ts'
import { type Construction, workerOptions } from './construction.ts'
import type { Dispatcher, LostWorker } from './dispatcher.ts'
import type { Endpoint } from './endpoint.ts'
import { makeError, RemoteError, type ThornbackError } from './errors.ts'
import type { LogRelay } from './log-relay.ts'
import type { Slot } from './pool.ts'

type DescribeEnd = LostWorker['describe']

/** Brings actors to life on workers, again when their process has ended, and ends them. */
export class ActorHost {
  readonly #registry: ActorRegistry
  readonly #dispatcher: Dispatcher
  readonly #endpoint: Endpoint
  readonly #relay: LogRelay
  readonly #processes: ActorProcesses
  /** Of actors that have not ended for good. */
  readonly #lives = new Map<Actor, ActorLife>()
  /** Actors that wait for a worker, with the number of their request. */
  readonly #requests = new Map<Actor, { id: number; shareKey: string | null }>()
  /** Shared processes on their way, and who else will move in. */
  readonly #arriving = new Map<string, Actor[]>()

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
    this.#processes = new ActorProcesses(dispatcher, endpoint)
  }

  /** Starts an actor that was just entered into the registry; the registry tells whoever waits for it. */
  start(actor: Actor, construction: Construction): void {
    this.#lives.set(actor, new ActorLife(construction, actor.maxRestarts))
    this.#seekPlace(actor)
  }

  /** How often an actor was restarted; 0 when it has ended for good. */
  restartsOf(actor: Actor): number {
    return this.#lives.get(actor)?.restarts ?? 0
  }

  /** Ends an actor: at once, or after its worker was asked to end it. Settles when its calls have stopped. */
  async kill(actor: Actor, reason: string, graceful: boolean): Promise<void> {
    if (actor.state === 'dead') return
    const process = actor.token === null ? undefined : this.#processes.get(actor.token)
    const instance = actor.address?.[1]
    this.#end(actor, diedError(actor, reason))
    this.#withdraw(actor)
    if (!process?.actors.delete(actor)) return
    if (process.actors.size === 0) await this.#processes.end(process, graceful)
    else if (instance !== undefined) await this.#processes.destroy(process, instance)
  }

  /** The worker is gone: its actors are restarted, or dead. Settles when it is known why. */
  async lost(worker: Pick<LostWorker, 'token' | 'describe'>): Promise<void> {
    const process = this.#processes.remove(worker.token)
    if (!process) return
    const actors = [...process.actors]
    process.actors.clear()
    await Promise.all(actors.map((actor) => this.#died(actor, worker.describe)))
  }

  endWhere(matches: (actor: Actor) => boolean, reason: string): void {
    for (const actor of this.#registry.living(matches)) void this.kill(actor, reason, false)
  }

  // ---- on the way to a worker ----

  #seekPlace(actor: Actor): void {
    const { construction } = this.#lives.get(actor)!
    const { environment, resources } = construction
    const shareKey = construction.share ? this.#shareKey(actor, construction) : null
    if (shareKey !== null && this.#moveIn(shareKey, actor)) return
    try {
      const id = this.#dispatcher.request({
        use: 'actor',
        language: actor.language,
        environment,
        resources,
        priority: 0,
        job: actor.job,
        holder: actor.creator,
        granted: (slot) => this.#granted(slot, shareKey, actor),
        failed: (error) => this.#notStarted(shareKey, actor, error),
      })
      if (isWaiting(actor)) this.#requests.set(actor, { id, shareKey })
    } catch (error) {
      this.#notStarted(shareKey, actor, error as ThornbackError)
    }
  }

  #shareKey(actor: Actor, { environment }: Construction): string {
    return `${actor.job} ${this.#dispatcher.poolFor(actor.language, 'actor', environment)}`
  }

  /** True if a shared process exists, or comes, and the actor will live there. */
  #moveIn(shareKey: string, actor: Actor): boolean {
    const process = this.#processes.sharedBy(shareKey)
    if (process) {
      void this.#construct(process, actor)
      return true
    }
    const arriving = this.#arriving.get(shareKey)
    if (!arriving) {
      this.#arriving.set(shareKey, [])
      return false
    }
    arriving.push(actor)
    return true
  }

  #granted(slot: Slot, shareKey: string | null, actor: Actor): void {
    this.#requests.delete(actor)
    const process = this.#processes.add(slot, shareKey)
    const name = shareKey === null ? displayName(actor) : `${actor.language} actors`
    this.#relay.rename(slot.host, name)
    void this.#construct(process, actor)
    for (const other of this.#takeArriving(shareKey)) void this.#construct(process, other)
  }

  /** There is no worker: an actor that has lived takes that as a death, a new one has failed. */
  #notStarted(shareKey: string | null, actor: Actor, error: ThornbackError): void {
    this.#requests.delete(actor)
    for (const each of [actor, ...this.#takeArriving(shareKey)]) {
      const isNew = each.incarnation === 0
      if (isNew || error.code !== 'WORKER_START_FAILED') this.#end(each, error)
      else void this.#died(each, (remark = '') => Promise.resolve(notRestarted(remark, error)))
    }
  }

  /** Gives up the wish for a worker; those who wanted to move in with the actor start again without it. */
  #withdraw(actor: Actor): void {
    const request = this.#requests.get(actor)
    if (!request) return
    this.#requests.delete(actor)
    this.#dispatcher.withdraw(request.id)
    for (const other of this.#takeArriving(request.shareKey)) this.#seekPlace(other)
  }

  #takeArriving(shareKey: string | null): Actor[] {
    const arriving = (shareKey !== null && this.#arriving.get(shareKey)) || []
    if (shareKey !== null) this.#arriving.delete(shareKey)
    return arriving.filter(isWaiting)
  }

  // ---- on a worker ----

  async #construct(process: ActorProcess, actor: Actor): Promise<void> {
    const instance = process.nextInstance++
    const { endpoint, token } = process.slot
    const { args, options } = this.#lives.get(actor)!.construction
    process.actors.add(actor)
    this.#registry.starting(actor, token)
    const id = Buffer.from(actor.id, 'hex')
    const gpus = this.#dispatcher.budget.gpusOf(token)
    const given = workerOptions(options, actor.incarnation, gpus)
    const call = [instance, id, actor.className, args, given]
    try {
      await this.#endpoint.call(endpoint, 0, 'worker::create_actor', call)
    } catch (error) {
      await this.#constructionFailed(process, actor, error)
      return
    }
    if (process.actors.has(actor)) {
      this.#lives.get(actor)!.alive(performance.now())
      this.#registry.alive(actor, [endpoint, instance])
    } else if (this.#processes.has(process)) {
      // It was killed meanwhile; others live on there.
      await this.#processes.destroy(process, instance)
    }
  }

  async #constructionFailed(process: ActorProcess, actor: Actor, error: unknown): Promise<void> {
    const isGone = await this.#processes.isGone(process, error)
    if (!process.actors.has(actor)) return
    const { token } = process.slot
    if (isGone) {
      const describe: DescribeEnd = (remark) =>
        this.#dispatcher.hosts.describeEnd(process.host, remark)
      await this.lost({ token, describe })
      return
    }
    process.actors.delete(actor)
    this.#registry.noteDeath(actor, reasonOf(error))
    this.#end(actor, creationError(actor, reasonOf(error), causeOf(error)))
    if (process.actors.size === 0) await this.#processes.end(process, false)
  }

  // ---- after a death ----

  /** The actor has lost its process, or could not get another one. */
  async #died(actor: Actor, describe: DescribeEnd): Promise<void> {
    const life = this.#lives.get(actor)
    if (!life) return
    if (actor.state === 'starting' && actor.incarnation === 1) {
      this.#registry.dying(actor)
      this.#end(actor, creationError(actor, await describe()))
      return
    }
    const verdict = life.died(performance.now())
    if (verdict.restarts) {
      this.#registry.restarting(actor)
      life.after(verdict.delayMs, () => this.#seekPlace(actor))
      this.#registry.noteDeath(actor, await describe())
      return
    }
    this.#registry.dying(actor)
    const cause = await describe(verdict.remark)
    this.#registry.noteDeath(actor, cause)
    this.#end(actor, diedError(actor, cause))
  }

  /** For good. */
  #end(actor: Actor, error: ThornbackError): void {
    this.#registry.dead(actor, error)
    this.#lives.get(actor)?.end()
    this.#lives.delete(actor)
  }
}

/** It needs a worker and has none yet. */
function isWaiting({ state }: Actor): boolean {
  return state === 'pending' || state === 'restarting'
}

function creationError(actor: Actor, reason: string, cause?: unknown): ThornbackError {
  return makeError('ACTOR_CREATION_FAILED', { actor: displayName(actor), reason }, { cause: cause })
}

/** The exception of the constructor itself, without the layer that says it was remote. */
function causeOf(error: unknown): unknown {
  return error instanceof RemoteError && error.cause !== undefined ? error.cause : error
}

function notRestarted(remark: string, error: Error): string {
  return `it could not be restarted${remark}: ${error.message}`
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
