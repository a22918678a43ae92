// The addon thornback.node as it is: names and order of core-native/include/thornback.h, numbers for handles. Nothing above
// `runtime/` uses it.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { checkLayout } from './layout.ts'

/** tbk_status_t. */
export const Status = {
  ok: 0,
  wouldBlock: 1,
  timeout: 2,
  interrupted: 3,
  backPressure: 4,
  closed: 5,
  end: 6,
  invalid: 7,
  notFound: 8,
  storeFull: 9,
  noMemory: 10,
  versionMismatch: 11,
  protocol: 12,
  io: 13,
  peerDead: 14,
} as const

export const Role = { agent: 0, driver: 1, worker: 2 } as const

/** tbk_attach_options_t; what is missing takes the core's default. */
export interface AttachOptions {
  role: number
  socketPath: string
  /** Free text that the agent sees when the endpoint joins, at most 127 bytes. */
  token?: string | undefined
  language: string
  /** Longest spin before sleeping in nanoseconds; 0 never spins, -1 is the default. */
  spinNs?: number | undefined
  pendingCallsMax?: number | undefined
  pendingBytesMax?: number | undefined
  /** AttachFlag values, added up. */
  flags?: number | undefined
}

export const AttachFlag = {
  /** The process ends half a second after its node is gone, whatever user code does. */
  exitWithNode: 1,
} as const

/** tbk_node_options_t. */
export interface NodeOptions {
  socketPath: string
  storeBytesMax?: number | undefined
  arenaBytesMax?: number | undefined
}

export interface EndpointInfo {
  endpointId: number
  cpuCount: number
  inlineBytesMax: number
  storeBytesMax: number
  arenaBytesMax: number
}

/** tbk_stats_t: counts since the endpoint attached, unless thornback.h says "now". */
export interface EndpointStats {
  spinningAllowed: number
  framesSent: number
  framesReceived: number
  callsSubmitted: number
  callsCompleted: number
  callsReceived: number
  callsReplied: number
  callsPending: number
  pendingBytes: number
  wakesSent: number
  sleeps: number
  refsLive: number
  objectsLive: number
  objectBytes: number
  storeBytesNode: number
  bytesShared: number
}

/** tbk_target_stats_t. */
export interface TargetStats {
  callsPending: number
  bytesPending: number
  callsMax: number
  bytesMax: number
  refused: number
  throttledNs: number
}

export type AnyTypedArray = NodeJS.TypedArray

/** An attached endpoint. Methods that fail throw a `NativeError`. */
export interface NativeEndpoint {
  readonly outbox: ArrayBuffer
  readonly inbox: ArrayBuffer

  put(
    dataOffset: number,
    size: number,
    bufferToken: number,
    refsOffset: number,
    refCount: number,
    flags: number,
  ): number
  refReserve(count: number): number
  refRetain(ref: number): void
  refRelease(ref: number): void
  refRead(ref: number): number
  refId(ref: number, target: Uint8Array): void
  watch(ref: number): void

  mapPrivate(ref: number): ArrayBuffer
  unmapPrivate(buffer: ArrayBuffer): void
  copyOut(address: number, size: number): ArrayBuffer
  bufferCreate(size: number): number
  bufferWrite(token: number, offset: number, source: AnyTypedArray): void
  bufferClear(token: number, offset: number, size: number): void
  bufferFinish(token: number): void
  bufferDiscard(token: number): void

  functionId(name: string): number
  functionName(id: number): string
  targetEndpoint(endpointId: number, instance: number): number
  /** The id has 16 bytes, or none for an actor that is not restarted. */
  targetActor(address: number, id: Uint8Array): number
  targetTasks(shape: Uint8Array): number
  targetRelease(target: number): void
  targetLimit(target: number, callsMax: number, bytesMax: number): void
  targetRoom(target: number, timeoutNs: number): number
  targetStats(target: number): TargetStats
  callOption(
    flags: number,
    priority: number,
    retries: number,
    retryDelayNs: number,
    retryOn: string,
    group: string,
  ): number
  submit(): void
  /** The same; throws when the last call of the outbox was refused, which then has no event. */
  submitLast(): void
  cancel(result: number, flags: number): void
  streamNext(stream: number): number
  /** The names are separated by newlines, the methods are pairs of function and index of its group. */
  instanceGroups(instance: number, names: string, limits: Uint32Array, methods: Uint32Array): void
  reply(
    call: number,
    flags: number,
    dataOffset: number,
    size: number,
    bufferToken: number,
    refsOffset: number,
    refCount: number,
    payloadFlags: number,
  ): number
  callState(call: number): number

  detach(): void
  holdLoop(): void
  endpointInfo(): EndpointInfo
  endpointStats(): EndpointStats
}

export interface NativeModule {
  readonly version: string
  readonly abiVersion: number
  readonly layout: Readonly<Record<string, number>>
  attach(options: AttachOptions, deliver: (count: number) => void): NativeEndpoint
  nodeStart(
    node: NodeOptions,
    options: AttachOptions,
    deliver: (count: number) => void,
  ): NativeEndpoint
  statusName(status: number): string
  lastError(): string
}

/** What the addon throws: the sentence of tbk_last_error and the status. */
export interface NativeError extends Error {
  status: number
}

export function isNativeError(error: unknown): error is NativeError {
  return error instanceof Error && typeof (error as Partial<NativeError>).status === 'number'
}

function candidates(): string[] {
  const named = process.env['THORNBACK_NATIVE_PATH']
  const workspace = join(import.meta.dirname, '..', '..', '..', '..')
  return [
    ...(named === undefined ? [] : [named]),
    join(workspace, 'core-native', 'build', 'release', 'lib', 'thornback.node'),
  ]
}

let loaded: NativeModule | undefined

/** The addon. Throws with the places that were looked at if it has not been built. */
export function nativeModule(): NativeModule {
  if (loaded === undefined) {
    const path = candidates().find((candidate) => existsSync(candidate))
    if (path === undefined) {
      throw new Error(
        `thornback.node is not in ${candidates().join(' or ')}; build it with: npm run build`,
      )
    }
    const module = createRequire(import.meta.url)(path) as NativeModule
    checkLayout(module.layout)
    loaded = module
  }
  return loaded
}
