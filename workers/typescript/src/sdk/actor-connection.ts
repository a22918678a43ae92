import type { ActorHandleFields } from '../codec/index.ts'
import { type Callable, ResultKind } from '../runtime/callable.ts'
import type { FlowOptions } from '../runtime/flow.ts'
import type { LocalRef } from '../runtime/local-ref.ts'
import type { Session } from './session.ts'
import { wait } from './wait.ts'

/** What all handles of one actor in this process share: where its calls go and what is known of its methods. */
export class ActorConnection {
  readonly session: Session
  readonly fields: ActorHandleFields
  readonly #callables = new Map<string, Callable>()
  #target = 0

  private constructor(session: Session, fields: ActorHandleFields) {
    this.session = session
    this.fields = fields
  }

  /** The connection to an actor, made when it is first needed. */
  static of(session: Session, fields: ActorHandleFields): ActorConnection {
    const connections = session.attachment(attachmentKey, () => new Connections(session))
    return connections.get(fields, () => new ActorConnection(session, fields))
  }

  /** A connection to an actor that is being created; `address` becomes its address. */
  static creating(session: Session, fields: ActorHandleFields, address: LocalRef): ActorConnection {
    const connection = ActorConnection.of(session, fields)
    connection.#open(address)
    return connection
  }

  callable(method: string): Callable {
    let callable = this.#callables.get(method)
    if (callable === undefined) {
      callable = this.session.endpoint.callable(this.target, `method::${method}`)
      this.#callables.set(method, callable)
    }
    return callable
  }

  /** Says in advance that a method is a generator. */
  markStream(method: string): void {
    this.callable(method).kind = ResultKind.stream
  }

  /** How much may be pending, for all handles to the actor in this process. */
  limit(options: FlowOptions): void {
    if (Object.keys(options).length > 0) this.session.endpoint.flow.limit(this.target, options)
  }

  /** Waits until the calls made here have ended, or the time is over. */
  async callsEnded(timeoutMs: number): Promise<void> {
    const pending = this.#target === 0 ? [] : this.session.endpoint.callsTo(this.#target)
    if (pending.length > 0) await wait(pending, { count: pending.length, timeoutMs })
  }

  /** The core's number of where the calls go. */
  get target(): number {
    if (this.#target === 0) {
      this.#open(this.session.callAgent('actor_address', [this.fields.id]))
    }
    return this.#target
  }

  #open(address: LocalRef): void {
    const { id, isRestartable = false } = this.fields
    this.#target = this.session.endpoint.openActorTarget(address, isRestartable ? id : undefined)
    const connections = this.session.attachment(attachmentKey, () => new Connections(this.session))
    connections.releaseWhenForgotten(this, this.#target)
  }
}

const attachmentKey = Symbol('actor connections')

/** One connection per actor, for as long as a handle uses it. */
class Connections {
  readonly #byId = new Map<string, WeakRef<ActorConnection>>()
  readonly #targets: FinalizationRegistry<number>
  readonly #ids: FinalizationRegistry<string>

  constructor(session: Session) {
    this.#targets = new FinalizationRegistry((target) => session.endpoint.releaseTarget(target))
    this.#ids = new FinalizationRegistry((id) => {
      if (this.#byId.get(id)?.deref() === undefined) this.#byId.delete(id)
    })
  }

  get(fields: ActorHandleFields, make: () => ActorConnection): ActorConnection {
    const id = Buffer.from(fields.id).toString('hex')
    const known = this.#byId.get(id)?.deref()
    if (known !== undefined) return known
    const made = make()
    this.#byId.set(id, new WeakRef(made))
    this.#ids.register(made, id)
    return made
  }

  releaseWhenForgotten(connection: ActorConnection, target: number): void {
    this.#targets.register(connection, target)
  }
}
