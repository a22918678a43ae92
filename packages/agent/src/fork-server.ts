import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Socket } from 'node:net'
import { processEnvironment, type WorkerEnvironment } from './environment.ts'
import { makeError } from './errors.ts'
import { describeExit, type ExitStatus, type HostProcess, type HostSpec } from './host.ts'
import { LineSplitter } from './line-splitter.ts'
import { exitOf, started } from './node-starter.ts'
import { signalGroup } from './proc.ts'
import type { SessionFolder } from './session-folder.ts'

interface PendingFork {
  resolve(pid: number): void
  reject(error: Error): void
}

const defaultProgram: readonly string[] = ['-m', 'thornback.fork_server']
const outputMax = 16 * 1024
const endMs = 500

/**
 * One `python -m thornback.fork_server`: a Python process that has imported everything and forks workers from itself. The
 * README has its protocol. When it ends, its workers live on, but how they end is not known any more.
 */
export class ForkServer {
  readonly #environment: WorkerEnvironment
  readonly #folder: SessionFolder
  readonly #program: readonly string[]
  readonly #forks = new Map<number, PendingFork>()
  readonly #children = new Map<number, (status: ExitStatus) => void>()
  readonly #early = new Map<number, ExitStatus>()
  #nextFork = 1
  #child: ChildProcess | null = null
  #control: Socket | null = null
  #exited: Promise<ExitStatus> | null = null
  #output = ''
  /** Why it cannot be used any more. */
  #ended: Error | null = null

  constructor(environment: WorkerEnvironment, folder: SessionFolder, program = defaultProgram) {
    this.#environment = environment
    this.#folder = folder
    this.#program = program
  }

  get ended(): boolean {
    return this.#ended !== null
  }

  get childCount(): number {
    return this.#children.size + this.#forks.size
  }

  /** Forks a worker; may be called before the server is ready. */
  async fork(spec: HostSpec): Promise<HostProcess> {
    if (!this.#child) await this.#start()
    if (this.#ended) throw this.#ended
    const id = this.#nextFork++
    const pid = await new Promise<number>((resolve, reject) => {
      this.#forks.set(id, { resolve, reject })
      const env = { THORNBACK_KIND: spec.kind }
      this.#send({ fork: id, token: spec.token, logs: this.#folder.logSocket, env })
    })
    return {
      pid,
      exited: this.#exitOf(pid),
      signal: (signal) => signalGroup(pid, signal),
    }
  }

  /** The server ends when it sees the end of the control stream; settles when it is gone. */
  async close(): Promise<void> {
    this.#control?.destroy()
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), endMs)
    await this.#exited
    clearTimeout(timer)
  }

  async #start(): Promise<void> {
    const child = spawn(this.#environment.python, this.#program, {
      cwd: this.#environment.cwd,
      env: processEnvironment(this.#environment, this.#folder),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    const control = child.stdio[3] as Socket
    this.#control = control
    const exited = exitOf(child)
    const splitter = new LineSplitter()
    control.on('data', (chunk: Buffer) => splitter.push(chunk).forEach((line) => this.#read(line)))
    control.on('error', () => {})
    for (const stream of [child.stdout!, child.stderr!]) this.#collect(stream)
    try {
      await started(child, 'python')
    } catch (error) {
      this.#end(error as Error)
      throw error
    }
    this.#exited = exited
    void this.#whenEnded(child, exited)
  }

  async #whenEnded(child: ChildProcess, exited: Promise<ExitStatus>): Promise<void> {
    const status = await exited
    // What it printed last is the reason, and arrives after its end.
    await Promise.all([child.stdout, child.stderr].map((stream) => drained(stream!)))
    const how = `the fork server (${this.#environment.python}) ${describeExit(status)}`
    const reason = this.#output === '' ? how : `${how}\n${this.#output.trimEnd()}`
    this.#end(makeError('WORKER_START_FAILED', { language: 'python', reason }))
  }

  #end(error: Error): void {
    this.#ended = error
    for (const fork of this.#forks.values()) fork.reject(error)
    this.#forks.clear()
    for (const exit of this.#children.values()) exit({ code: null, signal: null })
    this.#children.clear()
  }

  #exitOf(pid: number): Promise<ExitStatus> {
    return new Promise((resolve) => {
      const early = this.#early.get(pid)
      this.#early.delete(pid)
      if (early) resolve(early)
      else this.#children.set(pid, resolve)
    })
  }

  #read(line: string): void {
    const message = JSON.parse(line) as Record<string, unknown>
    if (typeof message['forked'] === 'number') {
      this.#settle(message['forked'])?.resolve(message['pid'] as number)
    } else if (typeof message['error'] === 'number') {
      const fields = { language: 'python', reason: String(message['message']) }
      this.#settle(message['error'])?.reject(makeError('WORKER_START_FAILED', fields))
    } else if (typeof message['exited'] === 'number') {
      this.#childExited(message['exited'], message as unknown as ExitStatus)
    }
  }

  #settle(id: number): PendingFork | undefined {
    const fork = this.#forks.get(id)
    this.#forks.delete(id)
    return fork
  }

  #childExited(pid: number, { code, signal }: ExitStatus): void {
    signalGroup(pid, 'SIGKILL')
    const exit = this.#children.get(pid)
    this.#children.delete(pid)
    if (exit) exit({ code, signal })
    else this.#early.set(pid, { code, signal })
  }

  #collect(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-outputMax)
    })
  }

  #send(message: object): void {
    this.#control?.write(`${JSON.stringify(message)}\n`)
  }
}

const drainMs = 100

function drained(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.readableEnded || stream.destroyed) return resolve()
    // A grandchild may hold the other end for longer.
    const timer = setTimeout(resolve, drainMs)
    stream.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
