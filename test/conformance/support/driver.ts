import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Answer, LanguageName, Step } from './protocol.ts'

const folder = join(import.meta.dirname, '..')
const watchdogMs = 40_000

/** How the driver of each language is started. */
const commands: Readonly<Record<LanguageName, readonly string[]>> = {
  typescript: [process.execPath, join(folder, 'drivers/typescript/main.ts')],
  python: [process.env['THORNBACK_PYTHON'] ?? 'python', join(folder, 'drivers/python/main.py')],
}

export const languageNames = Object.keys(commands) as LanguageName[]

/** A driver program: gets steps, tells what became of them, one after the other. */
export class Driver implements AsyncDisposable {
  readonly language: LanguageName
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #bytes = Buffer.alloc(0)
  #waiting: ((failure?: Error) => void) | undefined
  #isOver = false

  constructor(language: LanguageName) {
    this.language = language
    const [program, ...args] = commands[language]
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin!.on('error', () => undefined)
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#waiting?.()
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#isOver = true
        this.#waiting?.()
        resolve()
      })
    })
  }

  async run(step: Step): Promise<Answer> {
    const text = Buffer.from(JSON.stringify(step))
    const head = Buffer.alloc(4)
    head.writeUInt32BE(text.length)
    this.#child.stdin!.write(Buffer.concat([head, text]))
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), watchdogMs)
    try {
      for (;;) {
        const answer = this.#take()
        if (answer !== undefined) return answer
        if (this.#isOver) throw new Error(`the ${this.language} driver ended at ${text.toString()}`)
        await new Promise<void>((resolve) => (this.#waiting = () => resolve()))
      }
    } finally {
      clearTimeout(deadline)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end()
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), watchdogMs)
    await this.#ended
    clearTimeout(deadline)
  }

  #take(): Answer | undefined {
    if (this.#bytes.length < 4) return undefined
    const end = 4 + this.#bytes.readUInt32BE()
    if (this.#bytes.length < end) return undefined
    const answer = JSON.parse(this.#bytes.toString('utf8', 4, end)) as Answer
    this.#bytes = this.#bytes.subarray(end)
    return answer
  }
}
