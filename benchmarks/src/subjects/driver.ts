import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type Sample, asSample } from '../sample.ts'
import type { Request, Subject } from './subject.ts'

export interface DriverOptions {
  readonly command: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  /** Seconds that an answer may take beyond those that are measured. */
  readonly patienceSeconds: number
}

interface Waiting {
  resolve(answer: unknown): void
  reject(error: Error): void
}

/**
 * A driver program: takes requests as lines of JSON on its standard input, answers each with a line on its standard output,
 * and ends when its input ends. It is started by the first request.
 */
export class Driver implements Subject {
  readonly #options: DriverOptions
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #waiting: Waiting | undefined
  #lastWords: string[] = []

  constructor(options: DriverOptions) {
    this.#options = options
  }

  async measure(request: Request): Promise<Sample> {
    const child = (this.#child ??= this.#start())
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
    const patienceMs = (this.#options.patienceSeconds + 3 * request.seconds) * 1000
    const watchdog = setTimeout(() => {
      this.#fail(`no answer within ${Math.round(patienceMs / 1000)} s`)
      child.kill('SIGKILL')
    }, patienceMs)
    child.stdin!.write(`${JSON.stringify(request)}\n`)
    try {
      return asSample(await answer)
    } finally {
      clearTimeout(watchdog)
    }
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    child.stdin!.end()
    const watchdog = setTimeout(() => child.kill('SIGKILL'), 30_000)
    await this.#ended
    clearTimeout(watchdog)
  }

  #start(): ChildProcess {
    const { command, cwd, environment } = this.#options
    const [program, ...args] = command
    const child = spawn(program!, args, {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#fail(error.message)
        resolve()
      })
      child.once('close', (code, signal) => {
        this.#fail(`the driver ended with ${signal ?? `status ${code}`}`)
        resolve()
      })
    })
    // A driver that has gone is reported by its end, not by the pipe to it.
    child.stdin.on('error', () => {})
    createInterface(child.stdout).on('line', (line) => this.#hear(line))
    createInterface(child.stderr).on('line', (line) => {
      this.#lastWords = [...this.#lastWords.slice(-20), line]
    })
    return child
  }

  #hear(line: string): void {
    const answer = JSON.parse(line) as { error?: string }
    if (answer.error !== undefined) this.#fail(answer.error)
    else this.#waiting?.resolve(answer)
    this.#waiting = undefined
  }

  #fail(reason: string): void {
    const words = this.#lastWords.length === 0 ? '' : `\n    ${this.#lastWords.join('\n    ')}`
    this.#waiting?.reject(new Error(`${reason}${words}`))
    this.#waiting = undefined
  }
}
