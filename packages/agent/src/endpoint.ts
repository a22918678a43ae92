import type { ThornbackError } from './errors.ts'

/** A process or thread that is attached to the node. */
export interface Peer {
  readonly id: number
  readonly pid: number
  readonly role: string
  readonly language: string
  readonly token: string
}

/** A call to the agent; exactly one of `reply` and `fail` is called, once. */
export interface IncomingCall {
  readonly function: string
  readonly caller: number
  readonly args: readonly unknown[]
  /** Set by who serves the call: the caller does not want the result any more. */
  onCancel: (() => void) | null
  reply(value?: unknown): void
  fail(error: ThornbackError): void
}

export interface EndpointEvents {
  joined(peer: Peer): void
  left(endpoint: number, cause: string): void
  call(call: IncomingCall): void
}

/** The agent's own endpoint: all that the agent knows of the core. */
export interface Endpoint {
  readonly storeBytes: number
  /** Calls an endpoint; rejects with the error that it replied, or that it is gone. */
  call(endpoint: number, instance: number, name: string, args: readonly unknown[]): Promise<unknown>
  /** Ends the node: whoever is still attached is told that the session is over. */
  close(): void
}
