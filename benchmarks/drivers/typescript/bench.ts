import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import {
  type ActorClass,
  type ActorHandle,
  type AnyApi,
  type Cluster,
  init,
  type Language,
  python,
  type Task,
  typescript,
} from 'thornback'
import type { Answer, Request } from './measure.ts'

const ownModule = pathToFileURL(join(import.meta.dirname, 'actors.ts')).href
const ownFlowModule = pathToFileURL(join(import.meta.dirname, 'flow-actors.ts')).href

/** Options of `init` that a case may need. */
export interface SessionOptions {
  readonly prestart: number | undefined
  readonly storeBytes: number | undefined
}

/** The session of a driver and what it has created, kept over the rounds. */
export class Bench {
  readonly callee: string
  readonly #options: SessionOptions
  readonly #actors = new Map<string, ActorHandle<AnyApi>>()
  #cluster: Cluster | undefined

  constructor(callee: string, options: SessionOptions) {
    this.callee = callee
    this.#options = options
  }

  async open(): Promise<void> {
    if (this.#cluster !== undefined) return
    const { prestart, storeBytes } = this.#options
    this.#cluster = await init({
      python: process.env['THORNBACK_PYTHON'] ?? 'python3',
      spin: process.env['THORNBACK_SPIN_US'] !== '0',
      ...(prestart === undefined ? {} : { prestart: { python: prestart, typescript: prestart } }),
      ...(storeBytes === undefined ? {} : { storeBytes }),
    })
  }

  async close(): Promise<void> {
    await this.#cluster?.shutdown()
  }

  /** A new actor in the callee's language, or in the driver's own. */
  async create(className: string, ...args: unknown[]): Promise<ActorHandle<AnyApi>> {
    await this.open()
    return this.#language.actor(`${this.#moduleOf(className)}:${className}`).create(...args)
  }

  async createHere(className: string, ...args: unknown[]): Promise<ActorHandle<AnyApi>> {
    await this.open()
    return typescript.actor(`${ownModule}:${className}`).create(...args)
  }

  /** A class of the suite `flow` in the callee's language. */
  async classOf(className: string): Promise<ActorClass> {
    await this.open()
    const module = this.callee === 'typescript' ? ownFlowModule : 'bench_flow'
    return this.#language.actor(`${module}:${className}`)
  }

  /** Of an open session. */
  get cluster(): Cluster {
    return this.#cluster!
  }

  /** The actor that this case has used before, or a new one. */
  async actor(request: Request, className = 'Plain', number = 0): Promise<ActorHandle<AnyApi>> {
    const key = `${request.case} ${number}`
    let actor = this.#actors.get(key)
    if (actor === undefined) {
      actor = await this.create(className)
      await actor['echo']!(0)
      this.#actors.set(key, actor)
      if (request.parameters['isApart']) await moveApart(actor)
    }
    return actor
  }

  /** Adds what this process did to sleep and to wake others, per thousand of the calls that `measure` made. */
  async withWakes(measure: () => Promise<Answer>): Promise<Answer> {
    const before = this.#cluster!.stats
    const answer = await measure()
    const after = this.#cluster!.stats
    const thousands = (after.callsCompleted - before.callsCompleted) / 1000
    const details = {
      wakes_per_1000: (after.wakesSent - before.wakesSent) / thousands,
      sleeps_per_1000: (after.sleeps - before.sleeps) / thousands,
    }
    return { ...answer, details: { ...answer.details, ...details } }
  }

  task<F extends (...args: never[]) => unknown>(name: string): Task<F> {
    return this.#language.task<F>(`${this.#moduleOf(name)}:${name}`)
  }

  get #language(): Language {
    return this.callee === 'python' ? python : typescript
  }

  #moduleOf(name: string): string {
    if (this.callee === 'typescript') return ownModule
    return name === 'Coroutine' ? 'bench_coroutines' : 'bench_actors'
  }
}

/** This process to CPU 0, the actor's to CPU 1. */
async function moveApart(actor: ActorHandle<AnyApi>): Promise<void> {
  const pid = (await actor['pid']!()) as number
  const pin = (cpu: string, process_: number): void => {
    const args = ['--all-tasks', '--cpu-list', '--pid', cpu, String(process_)]
    execFileSync('taskset', args, { stdio: 'ignore' })
  }
  pin('0', process.pid)
  pin('1', pid)
}
