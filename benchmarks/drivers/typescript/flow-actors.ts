// What the suite `flow` calls in TypeScript. The Python twin is ../python/bench_flow.py.
import { setTimeout as sleep } from 'node:timers/promises'

/** Calls that wait. */
export class Slow {
  async slow(seconds: number, value: number): Promise<number> {
    await sleep(seconds * 1000)
    return value
  }

  health(value: number): number {
    return value
  }
}

export class Streams {
  *numbers(count: number): Generator<number> {
    for (let n = 0; n < count; n++) yield n
  }

  *arrays(count: number, bytes: number): Generator<Float64Array> {
    const source = new Float64Array(bytes / 8).fill(7)
    for (let n = 0; n < count; n++) {
      source[0] = n
      source[source.length - 1] = n
      yield source
    }
  }
}
