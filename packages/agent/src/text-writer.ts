import { write } from 'node:fs'

/** Where text goes; `write` never blocks. */
export interface TextWriter {
  /** Bytes that are not written yet. */
  readonly pendingBytes: number
  write(text: string): void
  /** Settles when everything given so far is written or the time is over. */
  drain(timeoutMs: number): Promise<void>
}

/**
 * Writes to a descriptor in order without ever blocking the process: whoever reads a driver's stderr may stop reading it,
 * and the agent must go on. A descriptor that nobody reads any more swallows what comes.
 */
export class DescriptorWriter implements TextWriter {
  readonly #descriptor: number
  #queue: Buffer[] = []
  #queued = 0
  #writing = 0
  #broken = false
  #idle: (() => void)[] = []

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  get pendingBytes(): number {
    return this.#queued + this.#writing
  }

  write(text: string): void {
    if (this.#broken || text === '') return
    const bytes = Buffer.from(text)
    this.#queue.push(bytes)
    this.#queued += bytes.length
    if (this.#writing === 0) this.#next()
  }

  drain(timeoutMs: number): Promise<void> {
    if (this.pendingBytes === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#idle.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #next(): void {
    const bytes = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue)
    this.#queue = []
    this.#queued = 0
    this.#writeOut(bytes)
  }

  #writeOut(bytes: Buffer): void {
    this.#writing = bytes.length
    write(this.#descriptor, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        // The driver's stderr is a pipe in non-blocking mode, and full.
        setTimeout(() => this.#writeOut(bytes), 5)
        return
      }
      if (error) this.#broken = true
      else if (written < bytes.length) return this.#writeOut(bytes.subarray(written))
      this.#writing = 0
      if (this.#broken) this.#queue = []
      if (this.#queue.length > 0) return this.#next()
      this.#queued = 0
      for (const resolve of this.#idle.splice(0)) resolve()
    })
  }
}
