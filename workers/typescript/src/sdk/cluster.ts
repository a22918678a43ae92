import type { EndpointStats } from '../native/binding.ts'
import type { AgentProcess } from './agent-process.ts'
import { type Session, thread } from './session.ts'

const farewellMs = 3_000

/** This process's part in a session. */
export class Cluster implements AsyncDisposable {
  /** Path of the session's socket: what THORNBACK_ADDRESS, or `address` of init, of another process may be. */
  readonly address: string
  readonly #session: Session
  readonly #agent: AgentProcess | undefined
  #ending: Promise<void> | undefined

  /** @internal Use init. */
  constructor(session: Session, address: string, agent: AgentProcess | undefined) {
    this.address = address
    this.#session = session
    this.#agent = agent
    session.endpoint.events.shutdown = () => this.#leave()
  }

  /** Whether calls can be made. It becomes false with `shutdown`, or when the session's node is gone. */
  get isOpen(): boolean {
    return this.#session.endpoint.isOpen
  }

  /** Counts and sizes of this process's endpoint. */
  get stats(): EndpointStats {
    return this.#session.endpoint.stats
  }

  /** What the node says of itself: CPUs, workers, actors. */
  async nodeInfo(): Promise<Record<string, unknown>> {
    return (await this.#session.callAgent('node_info', [])) as Record<string, unknown>
  }

  /**
   * Leaves the session: pending calls fail with SessionClosedError. A session that `init` has started ends, with all its
   * workers, before this settles. A second call waits for the first.
   */
  shutdown(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  async #end(): Promise<void> {
    const { endpoint } = this.#session
    if (this.#agent !== undefined && endpoint.isOpen) {
      // If the agent does not answer, it goes when this process leaves.
      const options = { timeoutMs: farewellMs }
      await this.#session
        .callAgent('shutdown', [], options)
        .get()
        .catch(() => undefined)
    }
    this.#leave()
    await this.#agent?.ended()
  }

  #leave(): void {
    if (thread.session === this.#session) thread.session = undefined
    this.#session.endpoint.close()
  }
}
