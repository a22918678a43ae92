import { Piscina } from 'piscina'
import { makeError } from '../errors/index.ts'
import { AttachFlag, Role } from '../native/binding.ts'
import { Endpoint } from '../runtime/endpoint.ts'
import type { IncomingCall } from '../runtime/incoming-call.ts'
import type { ThreadData } from './task-thread.ts'

const restartMs = 100

/**
 * A process whose threads execute tasks, one at a time each. The threads are endpoints of their own and get their tasks
 * directly; the pool keeps them alive, and replaces one that ends for whatever reason.
 */
export class ThreadHost {
  readonly #endpoint: Endpoint
  readonly #pool: Piscina
  readonly #stops: AbortController[] = []
  readonly #data: Omit<ThreadData, 'token'>
  readonly #token: string
  #isEnding = false

  constructor(socketPath: string, token: string, threads: number) {
    this.#data = { socketPath }
    this.#token = token
    this.#pool = new Piscina({
      filename: new URL('./task-thread.ts', import.meta.url).href,
      name: 'serve',
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      recordTiming: false,
    })
    this.#endpoint = Endpoint.attach({
      role: Role.worker,
      flags: AttachFlag.exitWithNode,
      socketPath,
      token,
      language: 'typescript',
    })
    this.#endpoint.events.call = (call) => this.#serve(call)
    this.#endpoint.events.shutdown = () => this.#exit()
    this.#endpoint.outbox.keepAlive(1)
    for (let index = 0; index < threads; index++) void this.#keep(index)
  }

  /** Runs thread number `index` again and again. */
  async #keep(index: number): Promise<void> {
    const data: ThreadData = { ...this.#data, token: `${this.#token}#${index}` }
    while (!this.#isEnding) {
      const stop = new AbortController()
      this.#stops[index] = stop
      try {
        await this.#pool.run(data, { signal: stop.signal })
      } catch (error) {
        if (this.#isEnding || stop.signal.aborted) continue
        console.error(`task thread ${index} ended:`, error)
        await new Promise((resolve) => setTimeout(resolve, restartMs))
      }
    }
  }

  #serve(call: IncomingCall): void {
    switch (call.function) {
      case 'worker::exit':
        call.reply()
        this.#exit()
        break
      case 'worker::stop_thread':
        this.#stops[call.args[0] as number]?.abort()
        call.reply()
        break
      default: {
        const reason = 'this endpoint executes no tasks'
        call.fail(makeError('NOT_SUPPORTED', { what: call.function, reason }))
      }
    }
  }

  #exit(): void {
    this.#isEnding = true
    this.#endpoint.close()
    process.exit(0)
  }
}
