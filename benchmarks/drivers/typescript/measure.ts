export interface Request {
  readonly case: string
  readonly does: string
  readonly seconds: number
  readonly parameters: Readonly<Record<string, number | string | boolean>>
}

export interface Answer {
  readonly value: number
  readonly p50?: number
  readonly p99?: number
  readonly times?: readonly number[]
  readonly checked: number
  readonly details?: Readonly<Record<string, number>>
}

/** What comes before the measured part takes so much of its time. */
const warmUpShare = 0.3

export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

/** Times of single calls in microseconds; the last quarter of a million is kept. */
export class Times {
  readonly #kept = new Float64Array(1 << 18)
  #count = 0

  add(time: number): void {
    this.#kept[this.#count++ & (this.#kept.length - 1)] = time
  }

  percentiles(): { p50: number; p99: number } {
    const sorted = this.#kept.slice(0, Math.min(this.#count, this.#kept.length)).sort()
    return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
  }
}

/** Calls per second, one after the other. `call(n)` must give n. */
export async function echoRate(
  seconds: number,
  call: (n: number) => PromiseLike<unknown>,
): Promise<Answer> {
  let n = 0
  const warmUntil = performance.now() + seconds * 1000 * warmUpShare
  do if ((await call(n)) !== n) throw new Error('a wrong echo')
  while ((n++, performance.now() < warmUntil))
  const times = new Times()
  const first = n
  const start = performance.now()
  const end = start + seconds * 1000
  let before = start
  while (before < end) {
    if ((await call(n)) !== n) throw new Error('a wrong echo')
    n++
    const now = performance.now()
    times.add((now - before) * 1000)
    before = now
  }
  const done = n - first
  return { value: (done * 1000) / (before - start), checked: done, ...times.percentiles() }
}

/** Things per second: repeats `batch`, which says how many it did, all of them checked. */
export async function batchRate(
  seconds: number,
  batch: (round: number) => Promise<number>,
): Promise<Answer> {
  let round = 0
  const warmUntil = performance.now() + seconds * 1000 * warmUpShare
  do await batch(round++)
  while (performance.now() < warmUntil)
  let done = 0
  const start = performance.now()
  const end = start + seconds * 1000
  let now = start
  while (now < end) {
    done += await batch(round++)
    now = performance.now()
  }
  return { value: (done * 1000) / (now - start), checked: done }
}

/** Milliseconds of each time that `step` was done; it takes its own time, so that checks need not count. */
export async function repeat(
  seconds: number,
  step: (round: number) => Promise<number>,
): Promise<number[]> {
  let round = 0
  const warmUntil = performance.now() + seconds * 1000 * warmUpShare
  do await step(round++)
  while (performance.now() < warmUntil)
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  do times.push(await step(round++))
  while (performance.now() < end)
  return times
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Of times in milliseconds: p50 and p99 in microseconds. */
export function spread(times: readonly number[]): { p50: number; p99: number } {
  const sorted = times.map((time) => time * 1000).sort((a, b) => a - b)
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
