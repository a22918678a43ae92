import { makeError } from '../errors/index.ts'
import { Status } from '../native/binding.ts'
import type { TableEntry } from './ref-table.ts'
import type { HostedRef } from './ref-state.ts'

/** What a stream needs of its endpoint. */
export interface StreamHost {
  readonly isAttached: boolean
  /** Told when somebody begins and ends to wait for an item, if set. */
  readonly waiting: { begin(): void; end(): void } | undefined
  /** The next item, if it has arrived: `value` or `error` of the result are set when it answers `ok`. */
  takeItem(stream: number): ItemResult
  expectItem(stream: LocalStream): void
  stopExpectingItem(stream: LocalStream): void
  endStream(stream: number, finished: boolean, recursive: boolean): void
}

export interface ItemResult {
  readonly status: number
  readonly isError: boolean
  readonly value: unknown
}

/**
 * The items that a generator of another process yields, in order, as they come. Iterate it once, with `for await`; leaving the
 * loop early, or `dispose`, ends the generator. The generator runs ahead of the consumer by a bounded number of items.
 */
export abstract class ObjectStream<T = unknown>
  implements AsyncIterableIterator<T>, AsyncDisposable
{
  abstract next(): Promise<IteratorResult<T, undefined>>
  abstract return(): Promise<IteratorResult<T, undefined>>
  /** Ends the stream and its generator. */
  abstract dispose(): void

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.dispose()
    return Promise.resolve()
  }
}

interface Pending {
  readonly resolve: (result: IteratorResult<never, undefined>) => void
  readonly reject: (error: unknown) => void
}

const done = { value: undefined, done: true } as const

/** A stream that this endpoint reads. */
export class LocalStream<T = unknown> extends ObjectStream<T> implements TableEntry {
  readonly id: number
  nextOfSameId: TableEntry | undefined = undefined
  /** Whether an event is expected that tells of the next item. */
  isWatched: boolean
  readonly #host: StreamHost
  readonly #waiting: Pending[] = []
  #isOver = false
  #isBlocked = false
  #failure: { error: Error } | undefined
  #onOver: (() => void) | undefined

  constructor(host: StreamHost, id: number, isWatched: boolean) {
    super()
    this.#host = host
    this.id = id
    this.isWatched = isWatched
  }

  override next(): Promise<IteratorResult<T, undefined>> {
    if (this.#failure !== undefined) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#isOver) return Promise.resolve(done)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#waiting.length === 1) this.#serve()
    })
  }

  override return(): Promise<IteratorResult<T, undefined>> {
    this.dispose()
    return Promise.resolve(done)
  }

  override dispose(): void {
    this.#end(false)
  }

  /** An item has arrived, or the end. */
  becomeReady(_read: (ref: HostedRef) => void): void {
    this.isWatched = false
    this.#block(false)
    this.#serve()
  }

  /** Ends the stream here: whoever waits for an item, or the next who asks for one, gets the error. */
  fail(error: unknown): void {
    this.#endWith(error, false)
  }

  abort(error: unknown): void {
    this.#endWith(error, true)
  }

  whenOver(done: () => void): void {
    this.#onOver = done
  }

  #serve(): void {
    while (this.#waiting.length > 0 && !this.#isOver) {
      const { status, isError, value } = this.#host.takeItem(this.id)
      if (status === Status.wouldBlock) {
        if (!this.isWatched) this.#host.expectItem(this)
        this.#block(true)
        return
      }
      if (status !== Status.ok) {
        this.#end(true)
        return
      }
      const first = this.#waiting.shift()
      if (isError) {
        this.#end(true)
        first?.reject(value)
      } else {
        first?.resolve({ value: value as never, done: false })
      }
    }
  }

  #block(isBlocked: boolean): void {
    if (isBlocked === this.#isBlocked) return
    this.#isBlocked = isBlocked
    if (isBlocked) this.#host.waiting?.begin()
    else this.#host.waiting?.end()
  }

  #endWith(error: unknown, recursive: boolean): void {
    if (this.#isOver) return
    const first = this.#waiting.shift()
    if (first === undefined) this.#failure = { error: error as Error }
    this.#end(false, recursive)
    first?.reject(error)
  }

  #end(finished: boolean, recursive = false): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#block(false)
    if (this.isWatched) this.#host.stopExpectingItem(this)
    if (this.#host.isAttached) this.#host.endStream(this.id, finished, recursive)
    for (const { resolve } of this.#waiting.splice(0)) resolve(done)
    this.#onOver?.()
  }
}

/** Awaiting a ref that is being iterated. */
export function isAStream(name: string): Error {
  return makeError('NOT_SUPPORTED', {
    what: `awaiting ${name}`,
    reason: 'its result is being iterated as a stream',
  })
}

/** Iterating the result of a function that returned something else than items. */
export function noStream(name: string): Error {
  return makeError('NOT_SUPPORTED', {
    what: `iterating ${name}`,
    reason: 'its result is a value, not a stream: await it',
  })
}
