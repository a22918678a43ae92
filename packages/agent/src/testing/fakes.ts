import type { Endpoint, IncomingCall } from '../endpoint.ts'
import type { ThornbackError } from '../errors.ts'
import type { ExitStatus, HostProcess, HostSpec, HostStarter } from '../host.ts'
import { LogRelay } from '../log-relay.ts'
import { NodeAgent } from '../node-agent.ts'
import { type AgentOptions, parseOptions } from '../options.ts'
import { describe } from '../session-folder.ts'

/** A call that the agent made to a worker. */
export interface SentCall {
  readonly endpoint: number
  readonly name: string
  readonly args: readonly unknown[]
}

/** A node without a core: remembers what the agent calls, and answers as the test says. */
export class FakeEndpoint implements Endpoint {
  readonly storeBytes = 1 << 30
  readonly sent: SentCall[] = []
  closed = false
  answer: (call: SentCall) => Promise<unknown> = () => Promise.resolve(null)

  call(endpoint: number, _instance: number, name: string, args: readonly unknown[]) {
    const call = { endpoint, name, args }
    this.sent.push(call)
    return this.answer(call)
  }

  close(): void {
    this.closed = true
  }
}

/** A worker process that exists only as an object. */
export class FakeProcess implements HostProcess {
  readonly pid: number
  readonly spec: HostSpec
  readonly signals: string[] = []
  readonly #ended = Promise.withResolvers<ExitStatus>()

  constructor(pid: number, spec: HostSpec) {
    this.pid = pid
    this.spec = spec
  }

  get exited(): Promise<ExitStatus> {
    return this.#ended.promise
  }

  signal(signal: NodeJS.Signals): void {
    this.signals.push(signal)
    if (signal === 'SIGKILL') this.end({ code: null, signal: 9 })
  }

  end(status: ExitStatus): void {
    this.#ended.resolve(status)
  }
}

export class FakeStarter implements HostStarter {
  readonly started: FakeProcess[] = []
  closed = false
  onStart: (process: FakeProcess) => void = () => {}

  start(spec: HostSpec): Promise<HostProcess> {
    const process = new FakeProcess(1_000_000 + this.started.length, spec)
    this.started.push(process)
    this.onStart(process)
    return Promise.resolve(process)
  }

  close(): void {
    this.closed = true
  }
}

export interface Answered {
  readonly value: Promise<unknown>
  readonly call: IncomingCall
}

/** An agent on fakes, with a driver at endpoint 1; workers attach as soon as they are started. */
export class FakeNode {
  readonly endpoint = new FakeEndpoint()
  readonly python = new FakeStarter()
  readonly typescript = new FakeStarter()
  readonly agent: NodeAgent
  readonly endedReasons: string[] = []
  /** Endpoint ids by token. */
  readonly endpoints = new Map<string, number>()
  #nextEndpoint = 10

  constructor(options: Partial<AgentOptions> = {}) {
    const folder = describe('/nonexistent', 'test')
    this.agent = new NodeAgent({
      options: parseOptions(JSON.stringify({ prestart: {}, cpus: 2, driverPid: 7, ...options })),
      folder,
      endpoint: this.endpoint,
      starters: { python: this.python, typescript: this.typescript },
      relay: new LogRelay({ folder: folder.logs, driver: null, colour: false }),
      ended: (reason) => this.endedReasons.push(reason),
    })
    for (const starter of [this.python, this.typescript]) {
      starter.onStart = (process) => queueMicrotask(() => this.attach(process))
    }
    this.join(1, 7, 'driver', 'app')
  }

  join(id: number, pid: number, role: string, token: string): void {
    this.agent.joined({ id, pid, role, language: 'typescript', token })
  }

  /** What a worker does when it has started. */
  attach({ spec, pid }: FakeProcess): void {
    if (spec.kind === 'threads') {
      for (let i = 0; i < spec.threads; i++) this.attachAs(`${spec.token}#${i}`, pid)
    }
    this.attachAs(spec.token, pid)
  }

  attachAs(token: string, pid: number): void {
    const id = this.#nextEndpoint++
    this.endpoints.set(token, id)
    this.join(id, pid, 'worker', token)
  }

  call(name: string, args: readonly unknown[] = [], caller = 1): Answered {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    promise.catch(() => {})
    const call: IncomingCall = {
      function: name,
      caller,
      args,
      onCancel: null,
      reply: (value) => resolve(value),
      fail: (error: ThornbackError) => reject(error),
    }
    this.agent.call(call)
    return { value: promise, call }
  }

  lease(shape: object = { language: 'python' }, caller = 1): Promise<unknown> {
    return this.call('agent::lease', [shape], caller).value
  }

  createActor(wish: object = {}, caller = 1): Promise<unknown> {
    const actor = { id: actorId(1), language: 'python', class: 'm:Scorer', args: 'ref', ...wish }
    return this.call('agent::create_actor', [actor], caller).value
  }

  async actor(number = 1): Promise<Record<string, unknown>> {
    const id = Buffer.from(actorId(number))
    const actors = (await this.info())['actors'] as ({ id: Buffer } & Record<string, unknown>)[]
    return actors.find((actor) => actor.id.equals(id))!
  }

  async actorState(number: number): Promise<unknown> {
    return (await this.actor(number))['state']
  }

  /** What the agent sees when the process of an endpoint ends by itself. */
  crash(endpoint: number, status: ExitStatus = { code: 4, signal: null }): void {
    const [token] = [...this.endpoints].find(([, id]) => id === endpoint)!
    const ended = [...this.python.started, ...this.typescript.started]
    ended.find(({ spec }) => spec.token === token)!.end(status)
    this.agent.left(endpoint, 'gone')
  }

  /** The options with which actors were constructed, in order. */
  constructions(): unknown[] {
    const sent = this.endpoint.sent.filter(({ name }) => name === 'worker::create_actor')
    return sent.map(({ args }) => args[4])
  }

  info(): Promise<Record<string, unknown>> {
    return this.call('agent::node_info').value as Promise<Record<string, unknown>>
  }
}

export function actorId(number: number): Uint8Array {
  return new Uint8Array(16).fill(number)
}

/** Lets everything run that waits only for promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
