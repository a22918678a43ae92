import type { Readable } from 'node:stream'
import { LineSplitter } from './line-splitter.ts'

/** stdout and stderr; a forked worker's arrive after the news that it exists. */
const sourcesPerWorker = 2
const tailLines = 20
const withheldLinesMax = 500
/** Lines that follow each other this closely stay together: a traceback is written line by line. */
const togetherMs = 8
const flushMs = 60

/** The output of one worker on its way: complete lines, in pieces that belong together. */
export class WorkerLog {
  /** What the lines are marked with, for instance the class of the actor that lives there. */
  name: string
  pid = 0
  readonly #emit: (log: WorkerLog, lines: string[]) => void
  readonly #sources = new Set<Readable>()
  readonly #tail: string[] = []
  #lines: string[] = []
  #firstAtMs = 0
  #lastAtMs = 0
  #timer: NodeJS.Timeout | null = null
  #withheld = true
  #sourcesClosed = 0
  #onClosed: (() => void)[] = []

  constructor(name: string, emit: (log: WorkerLog, lines: string[]) => void) {
    this.name = name
    this.#emit = emit
  }

  connect(source: Readable): void {
    this.#sources.add(source)
    const splitter = new LineSplitter()
    source.on('data', (chunk: Buffer) => this.#take(splitter.push(chunk)))
    source.on('error', () => {})
    source.once('close', () => {
      this.#take(splitter.finish())
      this.#sources.delete(source)
      this.#sourcesClosed += 1
      if (this.#sourcesClosed < sourcesPerWorker) return
      this.flush()
      for (const resolve of this.#onClosed.splice(0)) resolve()
    })
    source.resume()
  }

  /** Lets through what was held back so far: the output of a worker that never worked belongs into an error instead. */
  release(): void {
    if (!this.#withheld) return
    this.#withheld = false
    this.flush()
  }

  pause(): void {
    for (const source of this.#sources) source.pause()
  }

  resume(): void {
    for (const source of this.#sources) source.resume()
  }

  /** The last lines. */
  tail(): string[] {
    return [...this.#tail]
  }

  /** Settles when all output has arrived, or after the time: a process that the worker started may hold the stream. */
  closed(timeoutMs: number): Promise<void> {
    if (this.#sourcesClosed >= sourcesPerWorker) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onClosed.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#withheld) {
      this.#lines = this.#lines.slice(-withheldLinesMax)
      return
    }
    const lines = this.#lines
    this.#lines = []
    if (lines.length > 0) this.#emit(this, lines)
  }

  #take(lines: string[]): void {
    if (lines.length === 0) return
    for (const line of lines) this.#lines.push(line)
    this.#tail.push(...lines.slice(-tailLines))
    this.#tail.splice(0, this.#tail.length - tailLines)
    this.#lastAtMs = performance.now()
    if (this.#timer) return
    this.#firstAtMs = this.#lastAtMs
    this.#timer = setTimeout(() => this.#due(), togetherMs)
  }

  #due(): void {
    const nowMs = performance.now()
    const quiet = nowMs - this.#lastAtMs >= togetherMs - 1
    if (quiet || nowMs - this.#firstAtMs >= flushMs) this.flush()
    else this.#timer = setTimeout(() => this.#due(), togetherMs)
  }
}
