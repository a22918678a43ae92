import type { Endpoint, Peer } from './endpoint.ts'
import { makeError, ThornbackError } from './errors.ts'
import { describeExit, type ExitStatus, type HostProcess, type HostSpec } from './host.ts'
import type { HostStarter } from './host.ts'
import type { LogRelay } from './log-relay.ts'

/** A worker process from the wish to start it until it has ended. */
export interface Host {
  readonly spec: HostSpec
  readonly pool: string
  process: HostProcess | null
  /** The endpoint that is asked to end the process; 0 until it has attached. */
  control: number
  attached: boolean
  /** It has ended, or somebody wants it to end. */
  ending: boolean
  /** The end of its output, once it has ended. */
  lastLines: string[]
  readonly ended: PromiseWithResolvers<ExitStatus>
}

export interface HostEvents {
  /** A process ended before it attached, or could not be started. */
  startFailed(host: Host, error: ThornbackError): void
  /** A process that had attached has ended. */
  ended(host: Host): void
}

const attachMs = 30_000
const outputMs = 100
const exitMs = 300

/** The worker processes of the node: starts them, knows how they ended, stops them. */
export class Hosts {
  readonly #starters: Readonly<Record<string, HostStarter>>
  readonly #endpoint: Endpoint
  readonly #relay: LogRelay
  readonly #events: HostEvents
  readonly #hosts = new Map<string, Host>()

  constructor(
    starters: Readonly<Record<string, HostStarter>>,
    endpoint: Endpoint,
    relay: LogRelay,
    events: HostEvents,
  ) {
    this.#starters = starters
    this.#endpoint = endpoint
    this.#relay = relay
    this.#events = events
  }

  get languages(): string[] {
    return Object.keys(this.#starters)
  }

  get startingCount(): number {
    return this.list().filter((host) => !host.attached).length
  }

  get(token: string): Host | undefined {
    return this.#hosts.get(token)
  }

  list(): Host[] {
    return [...this.#hosts.values()]
  }

  start(spec: HostSpec, pool: string): void {
    const host: Host = {
      spec,
      pool,
      process: null,
      control: 0,
      attached: false,
      ending: false,
      lastLines: [],
      ended: Promise.withResolvers<ExitStatus>(),
    }
    this.#hosts.set(spec.token, host)
    this.#relay.add(spec.token, `${spec.language} worker`)
    void this.#run(host)
  }

  /** Takes note of an endpoint of a host; false if its token is none of ours. */
  joined(peer: Peer): Host | undefined {
    const [token, thread] = peer.token.split('#')
    const host = this.#hosts.get(token!)
    if (!host) return undefined
    if (thread === undefined) host.control = peer.id
    if (!host.attached) {
      host.attached = true
      this.#relay.release(host.spec.token, host.process?.pid ?? peer.pid)
    }
    return host
  }

  /** Ends the process and its group at once. */
  kill(host: Host): void {
    host.ending = true
    host.process?.signal('SIGKILL')
  }

  /** Asks the process to end, then insists. Settles when it has ended. */
  async stop(host: Host, askMs: number, insistMs: number): Promise<void> {
    host.ending = true
    if (host.control !== 0) {
      this.#endpoint.call(host.control, 0, 'worker::exit', []).catch(() => {})
      if (await endsWithin(host, askMs)) return
    }
    host.process?.signal('SIGTERM')
    if (await endsWithin(host, insistMs)) return
    this.kill(host)
    await endsWithin(host, insistMs)
  }

  /** How a worker ended, a remark, and its last words: waits a moment for the system to tell. */
  async describeEnd(host: Host, remark = ''): Promise<string> {
    const status = await within(host.ended.promise, exitMs)
    const { token } = host.spec
    await this.#relay.closed(token, outputMs)
    const lines = this.#relay.has(token) ? this.#relay.tail(token) : host.lastLines
    const pid = host.process?.pid ?? 0
    const how = status ? describeExit(status) : 'left the session'
    return withOutput(`process ${pid} ${how}${remark}`, lines)
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#starters).map(async (starter) => starter.close()))
  }

  async #run(host: Host): Promise<void> {
    const { token, language } = host.spec
    const timer = setTimeout(() => {
      if (!host.attached) this.kill(host)
    }, attachMs)
    try {
      host.process = await this.#starters[language]!.start(host.spec, this.#relay)
    } catch (error) {
      clearTimeout(timer)
      host.ended.resolve({ code: null, signal: null })
      this.#failed(host, asStartError(language, error))
      return
    }
    if (host.ending) this.kill(host)
    const status = await host.process.exited
    clearTimeout(timer)
    host.ended.resolve(status)
    if (host.attached) {
      this.#hosts.delete(token)
      this.#events.ended(host)
      await this.#relay.closed(token, exitMs)
      host.lastLines = this.#relay.tail(token)
      this.#relay.remove(token)
      return
    }
    const reason = await this.describeEnd(host)
    this.#failed(host, makeError('WORKER_START_FAILED', { language, reason }))
  }

  #failed(host: Host, error: ThornbackError): void {
    this.#hosts.delete(host.spec.token)
    this.#relay.remove(host.spec.token)
    this.#events.startFailed(host, error)
  }
}

async function endsWithin(host: Host, ms: number): Promise<boolean> {
  return (await within(host.ended.promise, ms)) !== null
}

function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ms)
    void promise.then((value) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}

function withOutput(text: string, lines: string[]): string {
  return lines.length === 0 ? text : `${text}; its last output:\n${lines.join('\n')}`
}

function asStartError(language: string, error: unknown): ThornbackError {
  if (error instanceof ThornbackError) return error
  return makeError('WORKER_START_FAILED', { language, reason: String(error) }, { cause: error })
}
