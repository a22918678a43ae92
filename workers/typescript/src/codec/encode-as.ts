import type { Dtype } from './dtype.ts'

/**
 * A class whose instances may be sent has a method under this symbol. It writes itself by exactly one call to one of the
 * writer's methods. A registered symbol, so that two copies of the package in one process understand each other.
 *
 * An object behind a Proxy has to have a class of its own as prototype: the encoder takes what has `Object.prototype` for a
 * map without asking for this symbol.
 */
export const encodeAs: unique symbol = Symbol.for('thornback.encodeAs') as never

export interface Encodable {
  [encodeAs](writer: ValueWriter): void
}

export interface ActorHandleFields {
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly language: string
  readonly classKey: string
  readonly methods: readonly string[] | null
  /** Its actor may be started again after its process has ended: calls survive that. */
  readonly isRestartable?: boolean
}

export type TimeKind = 'datetime' | 'date' | 'time' | 'duration'

export interface ValueWriter {
  /** Puts a ref into the ref table of the blob and its index into the value. */
  ref(ref: unknown): void
  actor(handle: ActorHandleFields): void
  /** Writes a number as a float even if it is whole. */
  float(value: number): void
  /** Writes an array from its items in C order, little-endian. */
  array(dtype: Dtype, shape: readonly number[], data: Uint8Array): void
  tuple(items: readonly unknown[]): void
  time(kind: TimeKind, text: string): void
  /** Refuses the value: the message becomes "<path> cannot be sent: <reason>". */
  refuse(reason: string): never
}

export function isEncodable(value: object): value is Encodable {
  return typeof (value as Partial<Encodable>)[encodeAs] === 'function'
}
