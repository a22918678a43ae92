import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { fixtures } from './session.ts'

const watchdogMs = 45_000

export interface ProgramOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Runs as long as it takes. */
  readonly unlimited?: boolean
}

/** What a program wrote and how it ended. */
export interface Ended {
  readonly status: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A driver in a process of its own, with a folder of its own for sessions. It, and everything that it starts, carries a mark in
 * its environment by which it is found.
 */
export class Program implements Disposable {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly runtime = mkdtempSync(join(tmpdir(), 'faults-'))
  stdout = ''
  stderr = ''
  readonly #mark: string
  readonly #watchdog: NodeJS.Timeout | undefined

  constructor(command: readonly string[], options: ProgramOptions = {}) {
    this.#mark = `THORNBACK_TEST_RUNTIME=${this.runtime}`
    const [program, ...first] = command
    this.child = spawn(program!, [...first, ...(options.args ?? [])], {
      cwd: options.cwd ?? fixtures,
      env: {
        ...process.env,
        XDG_RUNTIME_DIR: this.runtime,
        THORNBACK_TEST_RUNTIME: this.runtime,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout!.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()))
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    if (!options.unlimited) this.#watchdog = setTimeout(() => this.#killAll(), watchdogMs)
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        clearTimeout(this.#watchdog)
        resolve({ status: signal ?? code, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  static typescript(file: string, options: ProgramOptions = {}): Program {
    return new Program([process.execPath, join(fixtures, file)], options)
  }

  static python(file: string, options: ProgramOptions = {}): Program {
    return new Program([process.env['THORNBACK_PYTHON'] ?? 'python', join(fixtures, file)], options)
  }

  /** The first line of the output that begins with a word, without it. */
  async line(word: string): Promise<string> {
    const find = (): string | undefined =>
      this.stdout
        .split('\n')
        .slice(0, -1)
        .find((line) => line.startsWith(`${word} `))
    const isOver = (): boolean => this.child.exitCode !== null || this.child.signalCode !== null
    await expect.poll(() => find() !== undefined || isOver(), { timeout: watchdogMs }).toBe(true)
    const found = find()
    if (found === undefined) throw new Error(`no "${word}"; it wrote ${this.stdout}${this.stderr}`)
    return found.slice(word.length + 1)
  }

  /** Process ids of what lives of it: itself, agents, workers, and what those started. */
  processes(): number[] {
    return processesWith(this.#mark)
  }

  /** Names of the sessions that have a folder. */
  sessions(): string[] {
    try {
      return readdirSync(join(this.runtime, `thornback-${process.getuid!()}`))
    } catch {
      return []
    }
  }

  /** Waits, 2 s at most, until nothing is left of it. */
  async vanishes(): Promise<void> {
    const gone = { timeout: 2_000, interval: 20 }
    await expect.poll(() => this.processes(), gone).toEqual([])
    await expect.poll(() => this.sessions(), gone).toEqual([])
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#watchdog)
    this.#killAll()
    rmSync(this.runtime, { recursive: true, force: true })
  }

  #killAll(): void {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has just ended.
      }
    }
  }
}

/** Living processes that were started with an entry in their environment. */
function processesWith(entry: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid !== process.pid && has(pid, entry))
}

function has(pid: number, entry: string): boolean {
  try {
    // Those that have ended and were not waited for have no environment any more.
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(entry)
  } catch {
    return false
  }
}

/** Whether a process executes something yet; one that has ended and was not waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]$/.test(text.slice(text.lastIndexOf(')') + 2)[0]!)
  } catch {
    return false
  }
}

/** Names in /dev/shm. */
export function sharedMemoryNames(): string[] {
  return readdirSync('/dev/shm').sort()
}
