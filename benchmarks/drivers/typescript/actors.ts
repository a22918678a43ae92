// What the benchmarks call in TypeScript. The Python twin is ../python/bench_actors.py.
import { setTimeout as sleep } from 'node:timers/promises'
import { type ActorHandle, type AnyApi, get, type ObjectRef, put } from 'thornback'

export function echo(value: unknown): unknown {
  return value
}

export class Plain {
  #kept: unknown

  echo(value: unknown): unknown {
    return value
  }

  add(value: number, other: number): number {
    return value + other
  }

  pid(): number {
    return process.pid
  }

  /** Memory of the process's own. */
  hold(bytes: number): number {
    this.#kept = Buffer.alloc(bytes, 1)
    return bytes
  }

  async sleep(seconds: number): Promise<void> {
    await sleep(seconds * 1000)
  }

  /** Length, first, middle and last item of an array. */
  probe(array: Float64Array): number[] {
    const last = array.length - 1
    return [array.length, array[0]!, array[last >> 1]!, array[last]!]
  }

  /** A ref to an array that stays in this process's arena. */
  large(bytes: number): ObjectRef[] {
    this.#kept ??= put(new Float64Array(bytes / 8).fill(7))
    return [this.#kept as ObjectRef]
  }

  /** A ref to a list of refs. */
  refs(count: number): ObjectRef[] {
    this.#kept ??= put(Array.from({ length: count }, (_, n) => put(n)))
    return [this.#kept as ObjectRef]
  }
}

export class Coroutine {
  // eslint-disable-next-line @typescript-eslint/require-await -- completes at once, which is what is measured
  async echo(value: unknown): Promise<unknown> {
    return value
  }

  async suspend(value: unknown): Promise<unknown> {
    await new Promise((resolve) => setImmediate(resolve))
    return value
  }
}

/** Calls other actors. */
export class Client {
  readonly #servers: readonly ActorHandle<AnyApi>[]

  constructor(servers: readonly ActorHandle<AnyApi>[]) {
    this.#servers = servers
  }

  async batch(count: number): Promise<number> {
    const refs: ObjectRef<number>[] = []
    for (const server of this.#servers) {
      for (let n = 0; n < count; n++) refs.push(server['echo']!(n) as ObjectRef<number>)
    }
    return total(await get(refs))
  }

  /** With an argument that lies in the store. */
  async batchWithArgument(count: number): Promise<number> {
    using one = put(1)
    const refs: ObjectRef<number>[] = []
    for (const server of this.#servers) {
      for (let n = 0; n < count; n++) refs.push(server['add']!(n, one) as ObjectRef<number>)
    }
    return total(await get(refs))
  }
}

function total(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
