import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { OutputSink, OutputStream } from './host.ts'
import { LogFile } from './log-file.ts'
import type { TextWriter } from './text-writer.ts'
import { WorkerLog } from './worker-log.ts'

export interface LogRelayOptions {
  /** Where the files go. */
  readonly folder: string
  /** The driver's stderr; null switches forwarding off. */
  readonly driver: TextWriter | null
  readonly colour: boolean
}

const pendingBytesMax = 1 << 20

/**
 * Brings what workers print to the driver's stderr, each line marked with where it comes from, and into a file per worker.
 * Nothing is lost and memory stays bounded: while the driver does not read, workers wait in their prints.
 */
export class LogRelay implements OutputSink {
  readonly #options: LogRelayOptions
  readonly #logs = new Map<string, WorkerLog>()
  readonly #files = new Map<WorkerLog, LogFile>()
  #paused = false

  constructor(options: LogRelayOptions) {
    this.#options = options
  }

  /** Announces a worker before its first output. */
  add(token: string, name: string): void {
    const log = new WorkerLog(name, (from, lines) => this.#emit(from, lines))
    this.#logs.set(token, log)
    this.#files.set(log, new LogFile(join(this.#options.folder, `${token}.log`)))
  }

  has(token: string): boolean {
    return this.#logs.has(token)
  }

  connect(token: string, _name: OutputStream, source: Readable): void {
    const log = this.#logs.get(token)
    if (!log) {
      source.destroy()
      return
    }
    log.connect(source)
    if (this.#paused) log.pause()
  }

  /** The worker works: its output goes through from now on. */
  release(token: string, pid: number): void {
    const log = this.#logs.get(token)
    if (!log) return
    log.pid = pid
    log.release()
  }

  rename(token: string, name: string): void {
    const log = this.#logs.get(token)
    if (!log) return
    log.flush()
    log.name = name
  }

  /** Writes a line about the worker into its file; the driver does not see it. */
  note(token: string, text: string): void {
    const log = this.#logs.get(token)
    const file = log && this.#files.get(log)
    log?.flush()
    if (file) void file.write(`${text}\n`)
  }

  tail(token: string): string[] {
    return this.#logs.get(token)?.tail() ?? []
  }

  /** Waits for the rest of a dead worker's output. */
  async closed(token: string, timeoutMs: number): Promise<void> {
    await this.#logs.get(token)?.closed(timeoutMs)
  }

  remove(token: string): void {
    const log = this.#logs.get(token)
    if (!log) return
    log.flush()
    this.#logs.delete(token)
    this.#files.delete(log)
  }

  /** When the workers have ended: waits for the rest of their output, and until it is written. */
  async drain(timeoutMs: number): Promise<void> {
    const logs = [...this.#logs.values()]
    await Promise.all(logs.map((log) => log.closed(timeoutMs)))
    for (const log of logs) log.flush()
    await this.#options.driver?.drain(timeoutMs)
  }

  #emit(log: WorkerLog, lines: string[]): void {
    const { driver, colour } = this.#options
    if (driver) driver.write(formatLines(log.name, log.pid, lines, colour))
    const file = this.#files.get(log)
    if (file) void file.write(`${lines.join('\n')}\n`).then(() => this.#throttle())
    this.#throttle()
  }

  #throttle(): void {
    const pending = this.#pendingBytes()
    if (this.#paused ? pending > pendingBytesMax / 4 : pending < pendingBytesMax) return
    this.#paused = !this.#paused
    for (const log of this.#logs.values()) {
      if (this.#paused) log.pause()
      else log.resume()
    }
    if (this.#paused) void this.#recheck()
  }

  async #recheck(): Promise<void> {
    while (this.#paused) {
      await this.#options.driver?.drain(50)
      await new Promise((resolve) => setTimeout(resolve, 1))
      this.#throttle()
    }
  }

  #pendingBytes(): number {
    let bytes = this.#options.driver?.pendingBytes ?? 0
    for (const file of this.#files.values()) bytes += file.pendingBytes
    return bytes
  }
}

/** Marks each line with the worker that wrote it. */
export function formatLines(name: string, pid: number, lines: string[], colour: boolean): string {
  const mark = `(${name} pid=${pid})`
  const prefix = colour ? `\x1b[36m${mark}\x1b[0m ` : `${mark} `
  let text = ''
  for (const line of lines) text += `${prefix}${visible(line)}\n`
  return text
}

/** What a terminal would show in the end of a line that overwrites itself, as progress bars do. */
function visible(line: string): string {
  return line.slice(line.lastIndexOf('\r') + 1)
}
