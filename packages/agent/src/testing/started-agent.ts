import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { Endpoint, Role } from '../../../../workers/typescript/src/internal.ts'
import type { AgentOptions } from '../options.ts'

const main = join(import.meta.dirname, '../main.mjs')

export interface StartOptions {
  readonly options?: Partial<AgentOptions>
  readonly env?: NodeJS.ProcessEnv
  /** Replaces the options: text as it is. */
  readonly argument?: string
}

/** An agent in a process of its own, and this process as its driver. */
export class StartedAgent implements AsyncDisposable {
  readonly child: ChildProcess
  readonly lifeline: Socket
  /** The line that the agent wrote, or nothing. */
  readonly line: Promise<Record<string, unknown>>
  readonly exited: Promise<number | string | null>
  stderr = ''
  #endpoint: Endpoint | null = null

  constructor({ options, env, argument }: StartOptions = {}) {
    const json = JSON.stringify({ driverPid: process.pid, prestart: {}, ...options })
    this.child = spawn(process.execPath, [main, argument ?? json], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    this.lifeline = this.child.stdio[3] as Socket
    this.line = readLine(this.lifeline)
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(signal ?? code))
    })
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
  }

  /** Starts an agent and attaches as its driver. */
  static async attached(start: StartOptions = {}): Promise<StartedAgent> {
    const agent = new StartedAgent(start)
    await agent.attach()
    return agent
  }

  async attach(): Promise<Endpoint> {
    const socketPath = (await this.line)['socket'] as string
    this.#endpoint = attachDriver(socketPath)
    return this.#endpoint
  }

  call(name: string, ...args: unknown[]): Promise<unknown> {
    return callAgent(this.#endpoint!, name, args)
  }

  detach(): void {
    this.#endpoint?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.detach()
    this.lifeline.destroy()
    await this.exited
  }
}

export function attachDriver(socketPath: string): Endpoint {
  return Endpoint.attach({ role: Role.driver, socketPath, token: 'test', language: 'typescript' })
}

export function callAgent(endpoint: Endpoint, name: string, args: unknown[]): Promise<unknown> {
  const target = endpoint.native.targetEndpoint(0, 0)
  return endpoint.call(endpoint.callable(target, name), args).get()
}

function readLine(stream: Socket): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.endsWith('\n')) resolve(JSON.parse(text) as Record<string, unknown>)
    })
    stream.once('close', () => reject(new Error(`no line, only "${text}"`)))
    stream.on('error', () => {})
  })
}
