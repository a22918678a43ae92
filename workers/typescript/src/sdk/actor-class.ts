import { Keywords } from '../codec/index.ts'
import { ActorConnection } from './actor-connection.ts'
import { type ActorHandle, makeHandle } from './actor-handle.ts'
import { type ActorOptions, checkActorOptions, splitOptions } from './options.ts'
import type { AnyApi, CallArguments } from './remote-types.ts'
import { currentSession } from './session.ts'

/** What is known of a class before one of it is created. */
export interface ActorClassFacts {
  readonly language: string
  /** `module:name` */
  readonly key: string
  /** Names of the methods, for those who look the actor up; null if unknown. */
  readonly methods: readonly string[] | null
  /** Methods known to be generators. */
  readonly generators: readonly string[]
}

/**
 * A class of which actors can be created, in whatever language. Each actor is an instance in a worker process, with its own
 * state; calls of one caller to it start in the order in which they were made.
 */
export class ActorClass<Api = AnyApi, Args extends readonly unknown[] = unknown[]> {
  readonly #facts: ActorClassFacts
  readonly #options: ActorOptions

  /** @internal Use defineActor, python.actor and their like. */
  constructor(facts: ActorClassFacts, options: ActorOptions = {}) {
    this.#facts = facts
    this.#options = options
  }

  /** The same class with other options for the actors created from it; what is not given stays. */
  options(options: ActorOptions): ActorClass<Api, Args> {
    checkActorOptions(options)
    return new ActorClass(this.#facts, { ...this.#options, ...options })
  }

  /**
   * Creates an actor and waits until it is constructed. Arguments may be refs; the last may be `kw({...})`. Fails with
   * ActorCreationError when the constructor fails, NameTakenError, or WorkerStartError.
   */
  async create(...args: CallArguments<Args>): Promise<ActorHandle<Api>> {
    const session = currentSession('creating an actor')
    const { language, key, methods, generators } = this.#facts
    const { behaviour, flow, rest } = splitOptions(this.#options)
    const { name, namespace = session.namespace, ...others } = rest
    const id = crypto.getRandomValues(new Uint8Array(16))
    const isRestartable = (others.maxRestarts ?? 0) !== 0
    const fields = { id, language, classKey: key, methods, isRestartable }
    using stored = session.endpoint.put(splitArguments(args))
    const address = session.callAgent('create_actor', [
      {
        id,
        language,
        class: key,
        name,
        namespace: namespace === '' ? undefined : namespace,
        options: { ...others, methods: methods ?? undefined },
        args: stored,
      },
    ])
    const connection = ActorConnection.creating(session, fields, address)
    connection.limit(flow)
    for (const method of generators) connection.markStream(method)
    await address
    return makeHandle<Api>(connection, true, behaviour)
  }
}

function splitArguments(args: readonly unknown[]): [readonly unknown[], object] {
  const last = args.at(-1)
  return last instanceof Keywords ? [args.slice(0, -1), last.values as object] : [args, {}]
}
