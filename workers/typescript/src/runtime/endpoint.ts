import { makeError } from '../errors/index.ts'
import {
  type AttachOptions,
  type EndpointInfo,
  type EndpointStats,
  isNativeError,
  type NativeEndpoint,
  nativeModule,
  type NodeOptions,
  Status,
} from '../native/binding.ts'
import * as layout from '../native/layout.ts'
import { control } from '../native/layout.ts'
import { translated } from '../native/status-error.ts'
import { CallRef } from './call-ref.ts'
import { type BoundOptions, type Callable, ResultKind } from './callable.ts'
import { type CallBehaviour, optionNumber } from './call-options.ts'
import type { CallTarget } from './call-target.ts'
import { limitCall } from './call-limits.ts'
import type { EndpointEvents } from './delivery.ts'
import { LocalRef } from './local-ref.ts'
import { LocalStream, type ObjectStream } from './object-stream.ts'
import { RefState } from './ref-state.ts'
import { ValueHost } from './value-host.ts'

const defaultPendingCallsMax = 1_000_000
/**
 * One attached endpoint: the layer between the addon, which moves bytes, and the API. A thread has at most one for its user;
 * every object here belongs to one endpoint and to the thread that made it.
 */
export class Endpoint extends ValueHost {
  readonly info: EndpointInfo
  readonly pendingCallsMax: number
  readonly #functions = new Map<string, number>()
  /** Targets that pin the address of an actor. */
  readonly #targets = new Set<number>()
  /** The call inside which code runs now, 0 for none; set where calls are executed. */
  parentOf: (() => number) | undefined = undefined
  /** Where the call added last stands in the outbox. */
  #position = 0

  private constructor(
    connect: (deliver: (count: number) => void) => NativeEndpoint,
    pendingCallsMax: number | undefined,
  ) {
    super(connect)
    this.info = this.native.endpointInfo()
    this.pendingCallsMax = pendingCallsMax ?? defaultPendingCallsMax
  }

  /** Attaches to a running session. Blocks until the node answers, at most 10 s. */
  static attach(options: AttachOptions): Endpoint {
    const connect = (deliver: (count: number) => void) => nativeModule().attach(options, deliver)
    return new Endpoint(connect, options.pendingCallsMax)
  }

  /** Starts the node of a session in this process, which becomes its endpoint 0. */
  static startNode(node: NodeOptions, options: AttachOptions): Endpoint {
    const connect = (deliver: (count: number) => void) =>
      nativeModule().nodeStart(node, options, deliver)
    return new Endpoint(connect, options.pendingCallsMax)
  }

  /** What is to be done with incoming calls and news of peers. */
  get events(): EndpointEvents {
    return this.delivery.events
  }

  get stats(): EndpointStats {
    return this.native.endpointStats()
  }

  /** Number of refs and streams that something is expected of. */
  get pending(): number {
    return this.delivery.expected.size
  }

  functionId(name: string): number {
    let id = this.#functions.get(name)
    if (id === undefined) {
      id = this.native.functionId(name)
      this.#functions.set(name, id)
    }
    return id
  }

  /** A function of one instance at an endpoint; endpoint 0 is the node agent. */
  callable(target: number, name: string, kind: number = ResultKind.unknown, options = 0): Callable {
    this.checkOpen()
    const functionId = this.functionId(name)
    return { target: this.flow.target(target), functionId, name, options, kind }
  }

  /** The core's number of options that calls have in common. */
  optionNumber(behaviour: CallBehaviour): number {
    this.checkOpen()
    return optionNumber(this.native, behaviour)
  }

  /**
   * Makes a call: a CallRef, or a stream if the function is known to be a generator. Throws for arguments that cannot be sent
   * and when a limit of what is pending is reached.
   */
  invoke(callable: Callable, args: readonly unknown[], options?: BoundOptions): unknown {
    return callable.kind === ResultKind.stream
      ? this.openStream(callable, args, options)
      : this.call(callable, args, options)
  }

  /** Makes a call whose result is awaited. */
  call(callable: Callable, args: readonly unknown[], options?: BoundOptions): CallRef {
    const { outbox } = this
    const id = this.#add(callable, args, layout.callWatch, options)
    const ref = new CallRef(this, id, callable, this.#position)
    this.delivery.expected.add(ref)
    outbox.keepAlive(1)
    // A call that might become a stream waits for the end of the turn, and so do many at once. Others are sent now, so that
    // they run while this thread goes on computing.
    if (callable.kind !== ResultKind.unknown && outbox.words[control.busy] === 0) outbox.flush()
    if (options !== undefined) limitCall(ref, callable.name, options)
    return ref
  }

  /** Makes a call whose result is iterated. */
  openStream(callable: Callable, args: readonly unknown[], options?: BoundOptions): ObjectStream {
    const id = this.#add(callable, args, layout.callWatch | layout.callStream, options)
    const stream = new LocalStream(this, id, true)
    this.delivery.expected.add(stream)
    this.outbox.keepAlive(1)
    if (options !== undefined) limitCall(stream, callable.name, options)
    return stream
  }

  makeStream(ref: CallRef): ObjectStream | undefined {
    if (!this.outbox.markStream(ref.position, ref.id)) return undefined
    const stream = new LocalStream(this, ref.id, true)
    this.delivery.expected.remove(ref)
    this.delivery.expected.add(stream)
    ref.becomeStream()
    return stream
  }

  /** Stores a value; the ref is its first one. */
  put(value: unknown): LocalRef {
    this.checkOpen()
    try {
      this.outbox.encodeValue(value, 'value')
      const { dataOffset, size, bufferToken, refsOffset, refCount } = this.outbox.takePayload()
      // Refs of calls that have not been handed over are unknown to the core.
      if (refCount > 0) this.outbox.flush()
      const id = this.native.put(dataOffset, size, bufferToken, refsOffset, refCount, 0)
      const ref = new LocalRef(this, id, RefState.ready, false)
      this.holdUntilCollected(ref)
      return ref
    } catch (error) {
      throw translated(error)
    }
  }

  cancel(ref: LocalRef, flags: number): void {
    if (!this.isOpen || ref.id === 0) return
    try {
      this.native.cancel(ref.id, flags)
    } catch (error) {
      throw translated(error)
    }
  }

  /** The unfinished calls to a target. */
  callsTo(target: number): CallRef[] {
    const all = this.delivery.expected.list()
    return all.filter(
      (each) => each instanceof CallRef && each.callable.target.number === target,
    ) as CallRef[]
  }

  /** Calls to the actor whose address is, or will be, the value of a ref; with an id it may be restarted. */
  openActorTarget(address: LocalRef, id: Uint8Array | undefined): number {
    this.outbox.flush()
    const target = this.native.targetActor(address.coreHandle(), id ?? noId)
    this.#targets.add(target)
    return target
  }

  releaseTarget(target: number): void {
    if (!this.#targets.delete(target) || !this.isAttached) return
    this.flow.forget(target)
    this.native.targetRelease(target)
  }

  /**
   * Fails whatever is expected, gives back every count, hands over what is waiting and detaches. Without counts the core keeps
   * nothing of the session in this process; values that were read are copies or mappings of their own.
   */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.delivery.failAll(makeError('SESSION_CLOSED', {}))
    this.flow.failAll(makeError('SESSION_CLOSED', {}))
    this.held.releaseAll()
    this.outbox.releaseReserved()
    for (const target of this.#targets) this.native.targetRelease(target)
    this.isAttached = false
    this.native.detach()
    this.outbox.close()
  }

  /** Adds a call to the outbox; returns the ref of its result. */
  #add(
    callable: Callable,
    args: readonly unknown[],
    flags: number,
    options: BoundOptions | undefined,
  ): number {
    const { outbox } = this
    const { target, functionId } = callable
    const timeoutNs = timeoutOf(options)
    const number = options?.number ?? callable.options
    const parent = this.parentOf === undefined || !target.inherits ? 0 : this.parentOf()
    for (;;) {
      const atOnce = this.#encode(callable, args)
      const id = outbox.reserveRef()
      this.#position = outbox.addCall(
        id,
        target.number,
        functionId,
        flags,
        timeoutNs,
        number,
        parent,
      )
      if (!atOnce || this.#wasTaken(target, id)) return id
    }
  }

  /** Encodes arguments, if the call is within the limits. True: the core has to be given the call at once. */
  #encode(callable: Callable, args: readonly unknown[]): boolean {
    this.checkOpen()
    const { outbox } = this
    const { target } = callable
    if (this.pending >= this.pendingCallsMax) {
      throw makeError('BACK_PRESSURE', { limit: this.pendingCallsMax, unit: 'calls' })
    }
    let isFull = false
    if (target.callsLeft <= 0 || target.bytesLeft <= 0) {
      isFull = !this.flow.refill(target)
      if (isFull && target.waits) this.flow.block(target)
    }
    if (outbox.isBatchFull) outbox.flush()
    try {
      outbox.encodeArguments(args)
    } catch (error) {
      throw translated(error)
    }
    target.callsLeft--
    target.bytesLeft -= outbox.payloadSize + refBytes * outbox.payloadRefs
    if (target.promised > 0) target.promised--
    if (!target.waits) return isFull
    // Nothing of those who wait may be refused later. What a ref stands for is known to the core alone.
    return isFull || outbox.payloadRefs > 0 || callable.kind !== ResultKind.unknown
  }

  /** Hands over what there is. False: the last call has to be made again. */
  #wasTaken(target: CallTarget, id: number): boolean {
    try {
      this.native.submitLast()
      return true
    } catch (error) {
      this.outbox.release(id)
      const isRefused = isNativeError(error) && error.status === Status.backPressure
      if (!isRefused || !target.waits) throw translated(error)
      this.flow.block(target)
      return false
    }
  }
}

/** What a ref among arguments counts for until the core says what its value counts for. */
const refBytes = 64 * 1024
const noId = new Uint8Array(0)

function timeoutOf(options: BoundOptions | undefined): number {
  return options?.timeoutMs === undefined ? 0 : options.timeoutMs * 1e6
}
