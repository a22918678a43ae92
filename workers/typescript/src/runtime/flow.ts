import type { NativeEndpoint, TargetStats } from '../native/binding.ts'
import { Status } from '../native/binding.ts'
import type { Outbox } from '../native/outbox.ts'
import { CallTarget } from './call-target.ts'

export interface FlowOptions {
  /**
   * How many calls of this process may be unfinished there; by default 100,000 for an actor and 1,000,000 for tasks of the same
   * resources and environment, which are counted together.
   */
  maxPendingCalls?: number
  /**
   * How many bytes their arguments may have, the values of refs among them included; by default 16 MiB for an actor and 256 MiB
   * for tasks. A call is made as long as the limit has not been reached, so it may be passed by one call.
   */
  maxPendingBytes?: number
  /**
   * What a call beyond the limits does. `refuse`: it throws BackPressureError (`await room(actor)` before each call avoids that).
   * `wait`: it blocks the thread until half of the limit is free again. That is for scripts and never for servers: timers,
   * sockets and promises stand still meanwhile, and results are delivered only afterwards.
   */
  whenFull?: 'refuse' | 'wait'
}

/** What a process has pending at an actor, or at tasks of the same resources and environment. */
export interface Pending {
  /** Calls that are not finished. */
  readonly calls: number
  /** Bytes of their arguments. */
  readonly bytes: number
  readonly maxCalls: number
  readonly maxBytes: number
  /** How many calls were refused so far. */
  readonly refused: number
  /** How long there has been no room so far, in milliseconds. */
  readonly throttledMs: number
}

/** How often a thread that waits for room comes back so that it is seen to live: signals and profilers interrupt it. */
const waitNs = 1e9

/** How much may be pending where: the core decides, this asks it, blocks or keeps waiting who wants room. */
export class Flow {
  readonly #native: NativeEndpoint
  readonly #outbox: Outbox
  readonly #targets = new Map<number, CallTarget>()

  constructor(native: NativeEndpoint, outbox: Outbox) {
    this.#native = native
    this.#outbox = outbox
  }

  target(number: number): CallTarget {
    let target = this.#targets.get(number)
    if (target === undefined) {
      target = new CallTarget(number)
      this.#targets.set(number, target)
      this.#take(target, this.#native.targetStats(number))
    }
    return target
  }

  forget(number: number): void {
    this.#targets.delete(number)
  }

  limit(number: number, options: FlowOptions): void {
    const { maxPendingCalls, maxPendingBytes, whenFull } = options
    const target = this.target(number)
    if (whenFull !== undefined) target.waits = whenFull === 'wait'
    if (maxPendingCalls === undefined && maxPendingBytes === undefined) return
    this.#native.targetLimit(number, maxPendingCalls ?? 0, maxPendingBytes ?? 0)
    this.refill(target)
  }

  /** Asks how many more calls are within the limits. False: none is, for now. */
  refill(target: CallTarget): boolean {
    this.#outbox.flush()
    this.#take(target, this.#native.targetStats(target.number))
    return target.callsLeft > 0 && target.bytesLeft > 0
  }

  /** Blocks the thread until there is room. */
  block(target: CallTarget): void {
    this.#outbox.flush()
    while (this.#native.targetRoom(target.number, waitNs) !== Status.ok);
    this.refill(target)
  }

  /** Settles when there is room; each who is told may make one call at once. */
  room(number: number): Promise<void> {
    const target = this.target(number)
    if (target.waiting.length === 0 && this.#promise(target)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (target.waiting.push({ resolve, reject }) === 1) this.#outbox.keepAlive(1)
    })
  }

  /** There is room again. */
  onRoom(number: number): void {
    const target = this.#targets.get(number)
    if (target !== undefined) this.#serve(target)
  }

  pending(number: number): Pending {
    const stats = this.#native.targetStats(number)
    const { calls, bytes } = this.#outbox.waitingFor(number)
    return {
      calls: stats.callsPending + calls,
      bytes: stats.bytesPending + bytes,
      maxCalls: stats.callsMax,
      maxBytes: stats.bytesMax,
      refused: stats.refused,
      throttledMs: stats.throttledNs / 1e6,
    }
  }

  failAll(error: Error): void {
    for (const { waiting } of this.#targets.values()) {
      for (const waiter of waiting.splice(0)) waiter.reject(error)
    }
  }

  #take(target: CallTarget, stats: TargetStats): void {
    target.callsLeft = stats.callsMax - stats.callsPending
    // One call always passes.
    target.bytesLeft =
      stats.callsPending === 0 ? stats.bytesMax : stats.bytesMax - stats.bytesPending
  }

  /** Promises room to one more. Promises that are not used are void when the event loop turns. */
  #promise(target: CallTarget): boolean {
    if (target.callsLeft <= target.promised || target.bytesLeft <= 0) {
      if (target.promised > 0 || !this.#ask(target)) return false
    }
    if (target.promised++ === 0) {
      setImmediate(() => {
        target.promised = 0
        this.#serve(target)
      })
    }
    return true
  }

  /** If there is no room, an event tells when there is. */
  #ask(target: CallTarget): boolean {
    this.#outbox.flush()
    return this.#native.targetRoom(target.number, 0) === Status.ok && this.refill(target)
  }

  #serve(target: CallTarget): void {
    const { waiting } = target
    if (waiting.length === 0) return
    while (waiting.length > 0 && this.#promise(target)) waiting.shift()!.resolve()
    if (waiting.length === 0) this.#outbox.keepAlive(-1)
  }
}
