import type { Peer } from './endpoint.ts'

/** Who is attached. Drivers are jobs: what they start, directly or through workers, belongs to them. */
export class Peers {
  readonly #peers = new Map<number, Peer>()

  add(peer: Peer): void {
    this.#peers.set(peer.id, peer)
  }

  remove(endpoint: number): Peer | undefined {
    const peer = this.#peers.get(endpoint)
    this.#peers.delete(endpoint)
    return peer
  }

  get(endpoint: number): Peer | undefined {
    return this.#peers.get(endpoint)
  }

  drivers(): Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.role === 'driver')
  }
}
