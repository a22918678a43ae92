import { makeError } from '../errors/index.ts'
import { AttachFlag, Role } from '../native/binding.ts'
import { Endpoint } from '../runtime/endpoint.ts'
import type { IncomingCall } from '../runtime/incoming-call.ts'
import { adoptHandle } from '../sdk/actor-handle.ts'
import { runningCalls } from '../sdk/context.ts'
import { Session, thread } from '../sdk/session.ts'
import { Actors } from './actors.ts'
import { BlockedTasks } from './blocked-tasks.ts'
import { execute } from './execute.ts'
import { IdleCollector } from './idle-collector.ts'
import { loadedTask, loadTask } from './modules.ts'
import { TaskPlaces } from './task-places.ts'

export interface WorkerOptions {
  readonly socketPath: string
  readonly token: string
  /** Ends the process or thread, with nothing left to do. */
  exit(): void
}

const taskPrefix = 'typescript:'
const methodPrefix = 'method::'

/** Attaches this process or thread to the session and executes the calls it gets. */
export class Worker {
  readonly endpoint: Endpoint
  readonly #options: WorkerOptions
  readonly #actors: Actors
  readonly #tasks: TaskPlaces
  readonly #collector: IdleCollector

  constructor(options: WorkerOptions) {
    const { socketPath, token } = options
    this.#options = options
    this.endpoint = Endpoint.attach({
      role: Role.worker,
      flags: AttachFlag.exitWithNode,
      socketPath,
      token,
      language: 'typescript',
    })
    this.endpoint.carriesContext = true
    this.endpoint.parentOf = () => runningCalls.getStore()?.id ?? 0
    this.#actors = new Actors(this.endpoint)
    this.#tasks = new TaskPlaces(this.endpoint)
    this.#collector = new IdleCollector(this.endpoint)
    const session = new Session(this.endpoint, 'worker', '')
    this.endpoint.makeActor = (fields) => adoptHandle(session, fields)
    this.endpoint.waiting = new BlockedTasks(session, this.#tasks)
    thread.session = session
    thread.hadSession = true
    this.endpoint.events.call = (call) => this.#serve(call)
    this.endpoint.events.shutdown = () => this.#leave()
    this.endpoint.outbox.keepAlive(1)
  }

  #serve(call: IncomingCall): void {
    const name = call.function
    this.#collector.touch()
    if (name.startsWith(methodPrefix)) this.#actors.call(call)
    else if (name.startsWith(taskPrefix)) this.#startTask(call)
    else this.#control(call)
  }

  #startTask(call: IncomingCall): void {
    this.#tasks.take(call)
    startTask(call)
  }

  #control(call: IncomingCall): void {
    switch (call.function) {
      case 'worker::create_actor':
        this.#actors.create(call)
        break
      case 'worker::destroy_actor':
        void this.#actors.destroy(call)
        break
      case 'worker::exit':
        void this.#exit(call)
        break
      default: {
        const reason = 'a TypeScript worker has no such function'
        call.fail(makeError('NOT_SUPPORTED', { what: call.function, reason }))
      }
    }
  }

  async #exit(call: IncomingCall): Promise<void> {
    await this.#actors.destroyAll()
    call.reply()
    this.#leave()
  }

  #leave(): void {
    this.endpoint.close()
    this.#options.exit()
  }
}

function startTask(call: IncomingCall): void {
  const key = call.function.slice(taskPrefix.length)
  const known = loadedTask(key)
  if (known !== undefined) {
    execute(call, undefined, (args) => known(...(args as never[])))
    return
  }
  loadTask(key).then(
    (task) => execute(call, undefined, (args) => task(...(args as never[]))),
    (error: unknown) => call.fail(error),
  )
}
