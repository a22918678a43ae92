// What the cases call, in TypeScript. Every language has a module of this content.

import { type ActorHandle, type AnyApi, get, type ObjectRef } from 'thornback'
import { currentSession } from '../../../workers/typescript/src/sdk/session.ts'

export function echo(value: unknown): unknown {
  return value
}

export async function echoLater(value: unknown): Promise<unknown> {
  await new Promise((resolve) => setImmediate(resolve))
  return value
}

/** Keywords arrive as one object behind the other arguments. */
export function sum(a: number, { b = 10, c = 100 }: { b?: number; c?: number } = {}): number {
  return a + b + c
}

export function fail(message: string): never {
  throw new RangeError(message, { cause: new TypeError('the deeper reason') })
}

export function* count(to: number): Generator<number> {
  for (let i = 0; i < to; i++) yield i
}

export async function* countLater(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    yield i
  }
}

export function* countAndFail(to: number): Generator<number> {
  yield* count(to)
  fail('in the middle')
}

/** The values of refs inside a list, and the refs themselves. */
export async function unwrap(refs: readonly ObjectRef[]): Promise<unknown[]> {
  return [await get(refs), refs]
}

export async function addThrough(counter: ActorHandle<AnyApi>, k: number): Promise<unknown> {
  return counter.add!(k)
}

export function ones(length: number): Float64Array {
  return new Float64Array(length).fill(1)
}

export function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}

export class Counter {
  #n: number
  readonly #log: number[] = []

  constructor(start: number, { step = 0 }: { step?: number } = {}) {
    if (start < 0) throw new RangeError('a counter starts at 0')
    this.#n = start + step
  }

  add(k: number): number {
    return (this.#n += k)
  }

  async addLater(k: number): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve))
    return this.add(k)
  }

  log(entry: number): number {
    return this.#log.push(entry)
  }

  entries(): number[] {
    return this.#log
  }

  count(to: number): Generator<number> {
    return count(to)
  }

  countLater(to: number): AsyncGenerator<number> {
    return countLater(to)
  }

  fail(message: string): never {
    fail(message)
  }

  ones(length: number): Float64Array {
    return ones(length)
  }

  echo(value: unknown): unknown {
    return value
  }

  /** How many objects this process holds in the store. */
  objects(): number {
    return currentSession('stats').endpoint.stats.objectsLive
  }
}
