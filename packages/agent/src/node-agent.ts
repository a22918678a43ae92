import { ActorHost } from './actor-host.ts'
import { ActorRegistry } from './actors.ts'
import { type CallContext, serve } from './calls.ts'
import { Dispatcher, type LostWorker } from './dispatcher.ts'
import type { Endpoint, EndpointEvents, IncomingCall, Peer } from './endpoint.ts'
import { makeError } from './errors.ts'
import type { HostStarter } from './host.ts'
import { Housekeeping } from './housekeeping.ts'
import { KeyValues } from './key-values.ts'
import { Leases } from './leases.ts'
import type { LogRelay } from './log-relay.ts'
import { describeNode } from './node-info.ts'
import { nodeResources } from './node-resources.ts'
import type { AgentOptions } from './options.ts'
import { Peers } from './peers.ts'
import type { SessionFolder } from './session-folder.ts'
import { killSurvivors } from './stale-sessions.ts'

export interface NodeAgentParts {
  readonly options: AgentOptions
  readonly folder: SessionFolder
  readonly endpoint: Endpoint
  readonly starters: Readonly<Record<string, HostStarter>>
  readonly relay: LogRelay
  /** Called once, when everything of the session is gone. */
  readonly ended: (reason: string) => void
}

/** How long workers have after being asked to end, and after SIGTERM. Together with the rest it stays below 2 s. */
const askMs = 800
const insistMs = 400

/** The agent of one node: connects the core's events with leases, actors and workers. */
export class NodeAgent implements EndpointEvents {
  readonly #parts: NodeAgentParts
  readonly #peers = new Peers()
  readonly #dispatcher: Dispatcher
  readonly #context: CallContext
  readonly #housekeeping: Housekeeping
  /** The endpoint of the driver that started the session, once it has attached. */
  #owner = 0
  #closing = false

  constructor(parts: NodeAgentParts) {
    const { options, endpoint, starters, relay } = parts
    this.#parts = parts
    const dispatcher = new Dispatcher(
      {
        cpus: options.cpus,
        resources: nodeResources(options.cpus, options.resources),
        starters,
        lost: (worker) => this.#workerLost(worker),
        ended: () => this.#housekeeping.touch(),
      },
      endpoint,
      relay,
    )
    const registry = new ActorRegistry()
    this.#dispatcher = dispatcher
    this.#context = {
      options,
      dispatcher,
      leases: new Leases(dispatcher),
      registry,
      actors: new ActorHost(registry, dispatcher, endpoint, relay),
      keyValues: new KeyValues(),
      relay,
      jobOf: (caller) => this.#jobOf(caller),
      nodeInfo: () => describeNode(parts, this.#context, this.#peers),
      shutdown: (reason) => void this.shutdown(reason),
    }
    this.#housekeeping = new Housekeeping(dispatcher, options)
  }

  joined(peer: Peer): void {
    this.#peers.add(peer)
    const isOwner = peer.role === 'driver' && peer.pid === this.#parts.options.driverPid
    if (isOwner && this.#owner === 0) this.#owner = peer.id
    this.#dispatcher.joined(peer)
    this.#housekeeping.touch()
  }

  left(endpoint: number, cause: string): void {
    const peer = this.#peers.remove(endpoint)
    if (endpoint === this.#owner && endpoint !== 0) {
      void this.shutdown(`the driver left: ${cause}`)
      return
    }
    this.#dispatcher.withdrawLeases((request) => request.holder === endpoint)
    this.#context.leases.holderLeft(endpoint)
    if (peer?.role === 'driver') this.#jobEnded(endpoint)
    this.#dispatcher.left(endpoint)
  }

  call(call: IncomingCall): void {
    if (this.#closing) {
      call.fail(makeError('SESSION_CLOSED', {}))
      return
    }
    this.#housekeeping.touch()
    void serve(this.#context, call)
  }

  /** Ends the session: workers, node, folder. Further calls do nothing. */
  async shutdown(reason: string): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const { endpoint, relay, folder, ended } = this.#parts
    this.#housekeeping.close()
    await this.#dispatcher.close(askMs, insistMs)
    await relay.drain(300)
    endpoint.close()
    killSurvivors(folder.path)
    ended(reason)
  }

  #workerLost(worker: LostWorker): void {
    if (this.#closing) return
    if (worker.use === 'leased') this.#context.leases.lost(worker.token)
    else void this.#context.actors.lost(worker)
  }

  #jobEnded(job: number): void {
    this.#dispatcher.withdrawLeases((request) => request.job === job)
    this.#context.leases.jobEnded(job)
    this.#context.actors.endWhere(
      (actor) => actor.job === job,
      'the driver that it worked for ended',
    )
  }

  #jobOf(caller: number): number {
    const slot = this.#dispatcher.pool.at(caller)
    return slot && slot.job !== 0 ? slot.job : caller
  }
}
