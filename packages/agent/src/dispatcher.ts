import { randomBytes } from 'node:crypto'
import { type Demand, DemandQueue } from './demand-queue.ts'
import type { Endpoint, Peer } from './endpoint.ts'
import type { WorkerEnvironment } from './environment.ts'
import { invalidArgument, makeError, type ThornbackError } from './errors.ts'
import type { HostKind, HostStarter } from './host.ts'
import { type Host, Hosts } from './hosts.ts'
import type { LogRelay } from './log-relay.ts'
import { Pool, type Slot } from './pool.ts'
import type { Amounts } from './resource-amounts.ts'
import { ResourceBudget } from './resource-budget.ts'

/** Somebody wants a worker. Exactly one of `granted` and `failed` is called, unless the demand is withdrawn. */
export interface WorkerRequest {
  readonly use: 'leased' | 'actor'
  readonly language: string
  readonly environment: WorkerEnvironment
  readonly resources: Amounts
  /** Higher ones are served first. */
  readonly priority: number
  readonly job: number
  /** The endpoint that asked. */
  readonly holder: number
  granted(slot: Slot): void
  failed(error: ThornbackError): void
}

/** A worker that was in use and is gone. */
export interface LostWorker {
  readonly token: string
  readonly endpoint: number
  readonly use: 'leased' | 'actor'
  /** What happened to it, known a moment later; a remark goes in front of its last output. */
  describe(remark?: string): Promise<string>
}

export interface DispatcherOptions {
  readonly cpus: number
  readonly resources: Amounts
  readonly starters: Readonly<Record<string, HostStarter>>
  lost(worker: LostWorker): void
  /** There is one process less. */
  ended(): void
}

interface WaitingRequest extends WorkerRequest, Demand {}

interface PoolShape {
  readonly language: string
  readonly kind: HostKind
  readonly environment: WorkerEnvironment
}

/** Gives workers to who asks, in order, as resources allow; starts processes when there are too few. */
export class Dispatcher {
  readonly budget: ResourceBudget
  readonly pool = new Pool()
  readonly hosts: Hosts
  readonly #options: DispatcherOptions
  readonly #endpoint: Endpoint
  readonly #queue = new DemandQueue<WaitingRequest>()
  readonly #shapes = new Map<string, PoolShape>()
  /** Pools whose last start failed: they are not filled ahead of demand. */
  readonly #failing = new Set<string>()
  #nextDemand = 1
  #nextHost = 1
  #closed = false

  constructor(options: DispatcherOptions, endpoint: Endpoint, relay: LogRelay) {
    this.#options = options
    this.#endpoint = endpoint
    this.budget = new ResourceBudget(options.resources)
    this.hosts = new Hosts(options.starters, endpoint, relay, {
      startFailed: (host, error) => this.#startFailed(host, error),
      ended: (host) => this.#ended(host),
    })
  }

  get waiting(): number {
    return this.#queue.size
  }

  /** Queues a request; the number withdraws it. */
  request(request: WorkerRequest): number {
    if (this.#closed) throw makeError('SESSION_CLOSED', {})
    const { language, use } = request
    if (!this.hosts.languages.includes(language)) {
      const reason = `no worker for ${language}; there is ${this.hosts.languages.join(', ')}`
      throw invalidArgument('language', reason)
    }
    this.budget.checkTotal(use === 'actor' ? 'the actor' : 'the task', request.resources)
    const id = this.#nextDemand++
    this.#queue.add({ ...request, id, pool: this.poolFor(language, use, request.environment) })
    this.schedule()
    return id
  }

  withdraw(id: number): void {
    if (this.#queue.remove(id)) this.schedule()
  }

  /** Withdraws wishes for leases whose holder is gone; actors do not end with the worker that created them. */
  withdrawLeases(matches: (request: WorkerRequest) => boolean): void {
    const found = this.#queue.removeWhere((request) => request.use === 'leased' && matches(request))
    if (found.length > 0) this.schedule()
  }

  /** The name of the pool that serves such a request. TypeScript tasks run in threads, everything else in processes. */
  poolFor(language: string, use: 'leased' | 'actor', environment: WorkerEnvironment): string {
    const kind = language === 'typescript' && use === 'leased' ? 'threads' : 'process'
    const name = `${language} ${kind} ${environment.key}`
    if (!this.#shapes.has(name)) this.#shapes.set(name, { language, kind, environment })
    return name
  }

  /** The worker is free again. */
  release(slot: Slot): void {
    this.budget.give(slot.token)
    this.pool.release(slot, performance.now())
    this.schedule()
  }

  /** Ends a worker at once: its process, or the thread if it is one of several. */
  kill(slot: Slot): void {
    const host = this.hosts.get(slot.host)
    this.#giveBack(slot.token, host)
    if (host?.spec.kind === 'threads') {
      const thread = Number(slot.token.split('#')[1])
      this.pool.left(slot.endpoint)
      this.#endpoint.call(host.control, 0, 'worker::stop_thread', [thread]).catch(() => {})
    } else {
      this.pool.removeHost(slot.host)
      if (host) this.hosts.kill(host)
    }
    this.schedule()
  }

  /** Takes a worker out of use without ending it; who calls does that. */
  retire(slot: Slot): void {
    this.#giveBack(slot.token, this.hosts.get(slot.host))
    this.pool.removeHost(slot.host)
    this.schedule()
  }

  blocked(endpoint: number): void {
    const slot = this.pool.at(endpoint)
    if (!slot) return
    this.budget.block(slot.token)
    this.schedule()
  }

  unblocked(endpoint: number): void {
    const slot = this.pool.at(endpoint)
    if (slot) this.budget.unblock(slot.token)
  }

  joined(peer: Peer): void {
    const host = this.hosts.joined(peer)
    if (!host) return
    this.#failing.delete(host.pool)
    if (host.ending) return
    this.pool.joined(peer.token, peer.id, performance.now())
    this.schedule()
  }

  left(endpoint: number): void {
    const slot = this.pool.at(endpoint)
    const host = slot && this.hosts.get(slot.host)
    if (!slot) return
    const { token, state } = slot
    this.#giveBack(token, host)
    this.pool.left(endpoint)
    if (host?.spec.kind !== 'threads') {
      this.pool.removeHost(slot.host)
      // Without its endpoint it is of no use, whatever it does.
      if (host) void this.hosts.stop(host, 0, 500)
    }
    this.#lost(token, endpoint, state, host)
    this.schedule()
  }

  /** Keeps so many idle workers ready in a pool; starts at most one now. */
  prestart(pool: string, count: number): void {
    if (this.#closed || this.#failing.has(pool) || this.hosts.startingCount > 0) return
    if (this.pool.count(pool, 'idle') < count) this.#startHost(pool)
  }

  /** Stops workers that nobody has needed for so long, except `keep` of each pool. */
  stopIdle(idleMs: number, keep: (pool: string) => number): void {
    for (const token of this.pool.expired(performance.now(), idleMs, keep)) {
      void this.#stopUnused(token)
    }
  }

  /** Serves what can be served and starts what is missing. */
  schedule(): void {
    if (this.#closed) return
    const plan = this.#queue.plan(this.budget.free, (pool) => this.pool.count(pool, 'idle'))
    // All are taken before anybody is told, because who is told may ask again.
    const granted = plan.grants.map(({ demand, gpus }) => {
      const slot = this.pool.take(demand.pool, demand.use, demand.job)!
      this.budget.take(slot.token, demand.resources, gpus)
      return { demand, slot }
    })
    for (const { demand, slot } of granted) demand.granted(slot)
    for (const [pool, count] of plan.missing) this.#startMissing(pool, count)
  }

  /** Refuses what waits and stops all workers. */
  async close(askMs: number, insistMs: number): Promise<void> {
    this.#closed = true
    for (const demand of this.#queue.removeWhere(() => true)) {
      demand.failed(makeError('SESSION_CLOSED', {}))
    }
    await Promise.all(this.hosts.list().map((host) => this.hosts.stop(host, askMs, insistMs)))
    await this.hosts.close()
  }

  /** Frees what an ending worker had. GPUs hold its memory until the process has ended, so they are not free before. */
  #giveBack(token: string, host: Host | undefined): void {
    if (host?.spec.kind !== 'process' || this.budget.gpusOf(token).length === 0) {
      this.budget.give(token)
      return
    }
    void host.ended.promise.then(() => {
      this.budget.give(token)
      this.schedule()
    })
  }

  /** Stops an idle process, unless one of its workers says that others need a value of which it is the owner. */
  async #stopUnused(token: string): Promise<void> {
    const slots = this.pool.retire(token)
    const isUnused = async ({ endpoint }: Slot) =>
      (await this.#endpoint.call(endpoint, 0, 'worker::is_unused', []).catch(() => true)) !== false
    const answers = await Promise.all(slots.map(isUnused))
    if (this.#closed) return
    if (answers.includes(false)) {
      for (const slot of slots) this.pool.keep(slot, performance.now())
      this.schedule()
      return
    }
    const host = this.hosts.get(token)
    this.pool.removeHost(token)
    if (host) await this.hosts.stop(host, 1_000, 500)
  }

  #startMissing(pool: string, count: number): void {
    const startingMax = Math.max(4, 2 * this.#options.cpus)
    let missing = count - this.pool.count(pool, 'starting')
    while (missing > 0 && this.hosts.startingCount < startingMax) {
      missing -= this.#startHost(pool)
    }
  }

  /** Starts a process for a pool; returns how many workers it will have. */
  #startHost(pool: string): number {
    const { language, kind, environment } = this.#shapes.get(pool)!
    const token = `${language}-${this.#nextHost++}-${randomBytes(6).toString('hex')}`
    const threads = kind === 'threads' ? Math.max(1, Math.floor(this.#options.cpus)) : 1
    const tokens =
      kind === 'threads' ? Array.from({ length: threads }, (_, i) => `${token}#${i}`) : [token]
    this.pool.addHost(token, pool, tokens)
    this.hosts.start({ token, language, kind, threads, environment }, pool)
    return threads
  }

  #startFailed(host: Host, error: ThornbackError): void {
    this.pool.removeHost(host.spec.token)
    this.#failing.add(host.pool)
    const demand = this.#queue.first(host.pool)
    if (demand) {
      this.#queue.remove(demand.id)
      demand.failed(error)
    }
    this.#options.ended()
    this.schedule()
  }

  #ended(host: Host): void {
    const slots = this.pool.slotsOf(host.spec.token)
    const before = slots.map(({ token, endpoint, state }) => ({ token, endpoint, state }))
    this.pool.removeHost(host.spec.token)
    for (const { token, endpoint, state } of before) {
      this.budget.give(token)
      this.#lost(token, endpoint, state, host)
    }
    this.#options.ended()
    this.schedule()
  }

  #lost(token: string, endpoint: number, state: Slot['state'], host: Host | undefined): void {
    if (state !== 'leased' && state !== 'actor') return
    const describe = (remark = '') =>
      host ? this.hosts.describeEnd(host, remark) : Promise.resolve(`its process is gone${remark}`)
    this.#options.lost({ token, endpoint, use: state, describe })
  }
}
