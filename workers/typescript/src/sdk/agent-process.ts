import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import { errorClasses, makeError, type ErrorCode } from '../errors/index.ts'

const agentMain = join(import.meta.dirname, '../../../../packages/agent/src/main.mjs')
const startMs = 30_000
const endMs = 5_000

/** The line by which the agent reports that it runs. */
interface Report {
  readonly socket: string
  readonly session: string
}

/**
 * The node agent that a driver has started. The socket between them, the lifeline, tells each when the other ends: the agent
 * ends the session when its driver is gone, however that happened.
 */
export class AgentProcess {
  readonly socket: string
  readonly session: string
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  private constructor(child: ChildProcess, lifeline: Socket, report: Report) {
    this.socket = report.socket
    this.session = report.session
    this.#child = child
    this.#ended = new Promise((resolve) => {
      lifeline.once('close', resolve)
      lifeline.once('error', () => resolve())
      lifeline.resume()
    })
    this.#reference(false)
  }

  /** Starts an agent and waits until the session exists. */
  static async start(options: Readonly<Record<string, unknown>>): Promise<AgentProcess> {
    const child = spawn(process.execPath, [agentMain, JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    const lifeline = child.stdio[3] as unknown as Socket
    try {
      return new AgentProcess(child, lifeline, parseReport(await readLine(child, lifeline)))
    } catch (error) {
      lifeline.destroy()
      child.kill('SIGKILL')
      throw error
    }
  }

  /** Waits until no process of the session exists any more; ends the agent by force if that takes too long. */
  async ended(): Promise<void> {
    this.#reference(true)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endMs)
    await this.#ended
    clearTimeout(timer)
    this.#reference(false)
  }

  /** Whether the agent keeps this process's event loop from ending. */
  #reference(holds: boolean): void {
    const lifeline = this.#child.stdio[3] as unknown as Socket
    for (const each of [lifeline, this.#child]) {
      if (holds) each.ref()
      else each.unref()
    }
  }
}

function readLine(child: ChildProcess, lifeline: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const fail = (reason: string): void => {
      reject(makeError('SYSTEM_ERROR', { call: 'starting the node agent', reason }))
    }
    const late = setTimeout(() => fail(`it said nothing for ${startMs / 1000} s`), startMs)
    const stop = (): void => {
      clearTimeout(late)
      lifeline.off('data', onData)
      lifeline.off('end', onEnd)
      child.off('error', onError)
    }
    const onData = (chunk: Buffer): void => {
      text += chunk.toString()
      if (!text.includes('\n')) return
      stop()
      resolve(text.slice(0, text.indexOf('\n')))
    }
    const onEnd = (): void => {
      stop()
      fail('it ended at once; its message is above')
    }
    const onError = (error: Error): void => {
      stop()
      fail(error.message)
    }
    lifeline.on('data', onData)
    lifeline.once('end', onEnd)
    child.once('error', onError)
  })
}

function parseReport(line: string): Report {
  const report = JSON.parse(line) as Partial<Report> & { error?: { code: string; message: string } }
  if (report.error !== undefined) {
    const { code, message } = report.error
    const known = Object.hasOwn(errorClasses, code) ? (code as ErrorCode) : 'INTERNAL'
    throw new errorClasses[known](message)
  }
  return report as Report
}
