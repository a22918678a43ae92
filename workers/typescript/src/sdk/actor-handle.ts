import {
  type ActorHandleFields,
  type Encodable,
  encodeAs,
  type ValueWriter,
} from '../codec/index.ts'
import type { CallOptions } from '../runtime/callable.ts'
import { ActorConnection } from './actor-connection.ts'
import { checkCallOptions } from './options.ts'
import type { AnyApi, RemoteMethods } from './remote-types.ts'
import type { Session } from './session.ts'

/**
 * A handle to an actor: its methods are calls. `await` a result, iterate it if the method is a generator.
 *
 * Handles may be sent anywhere inside values; every process that gets one can call the actor. The handle that `create` gave
 * owns the actor: disposing it (`await using`) ends the actor, when the calls that this process has made are done but after
 * ten seconds at most. Other handles let go of nothing when they are disposed. A handle that is merely forgotten does not
 * end its actor.
 */
export type ActorHandle<Api = AnyApi> = RemoteMethods<Api> & AsyncDisposable

/** How long disposing an actor waits for the calls that this process has made. */
const farewellMs = 10_000

/** Names that must not become methods: the language asks every object for them. */
const neverMethods: ReadonlySet<string> = new Set(['then', 'toJSON', 'constructor'])

type Method = ((...args: unknown[]) => unknown) & {
  with(options: CallOptions): (...args: unknown[]) => unknown
  stream(...args: unknown[]): unknown
}

/**
 * The object behind a handle. Its prototype is a Proxy that makes a method when it is first asked for and puts it on the
 * object: the Proxy is not on the path of later calls.
 */
class HandleObject implements Encodable, AsyncDisposable {
  readonly #connection: ActorConnection
  readonly #owns: boolean

  constructor(connection: ActorConnection, owns: boolean) {
    this.#connection = connection
    this.#owns = owns
  }

  static connectionOf(handle: object): ActorConnection | undefined {
    return #connection in handle ? handle.#connection : undefined
  }

  [encodeAs](writer: ValueWriter): void {
    writer.actor(this.#connection.fields)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { session, fields } = this.#connection
    if (!this.#owns || !session.endpoint.isOpen) return
    await this.#connection.callsEnded(farewellMs)
    if (!session.endpoint.isOpen) return
    await session.callAgent('kill_actor', [fields.id, true])
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { language, classKey } = this.#connection.fields
    return `ActorHandle { ${language} ${classKey} }`
  }
}

function makeMethod(connection: ActorConnection, name: string): Method {
  const { endpoint } = connection.session
  const callable = connection.callable(name)
  const call = (...args: unknown[]): unknown => endpoint.invoke(callable, args)
  const bind = (options: CallOptions) => {
    checkCallOptions(options)
    return (...args: unknown[]): unknown => endpoint.invoke(callable, args, options)
  }
  const stream = (...args: unknown[]): unknown => endpoint.openStream(callable, args)
  return Object.assign(call, { with: bind, stream })
}

// `instanceof` and the methods above work through the target; whatever else is asked for by name is a method of the actor.
const prototype = new Proxy(HandleObject.prototype, {
  get(target, key, receiver: object): unknown {
    if (typeof key === 'symbol' || key in target) return Reflect.get(target, key, receiver)
    const connection = HandleObject.connectionOf(receiver)
    if (connection === undefined || neverMethods.has(key)) return undefined
    const method = makeMethod(connection, key)
    Object.defineProperty(receiver, key, { value: method })
    return method
  },
})

/** `new` with it makes objects whose prototype is the Proxy. */
const construct = function () {} as unknown as new () => unknown
construct.prototype = prototype

/** A handle over a connection. */
export function makeHandle<Api>(connection: ActorConnection, owns: boolean): ActorHandle<Api> {
  return Reflect.construct(HandleObject, [connection, owns], construct) as ActorHandle<Api>
}

/** A handle for one that was inside a received value. */
export function adoptHandle(session: Session, fields: ActorHandleFields): ActorHandle {
  return makeHandle(ActorConnection.of(session, fields), false)
}

/** The connection behind a handle; undefined for everything else. */
export function connectionOf(handle: unknown): ActorConnection | undefined {
  const isObject = typeof handle === 'object' && handle !== null
  return isObject ? HandleObject.connectionOf(handle) : undefined
}
