import {
  type ActorHandleFields,
  type Encodable,
  encodeAs,
  type ValueWriter,
} from '../codec/index.ts'
import type { BoundOptions, CallOptions } from '../runtime/callable.ts'
import type { CallBehaviour } from '../runtime/call-options.ts'
import { ActorConnection } from './actor-connection.ts'
import { checkMethodOptions, type MethodCallOptions } from './options.ts'
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
  with(options: MethodCallOptions & CallOptions): (...args: unknown[]) => unknown
  stream(...args: unknown[]): unknown
}

/**
 * The object behind a handle. Its prototype is a Proxy that makes a method when it is first asked for and puts it on the
 * object: the Proxy is not on the path of later calls.
 */
class HandleObject implements Encodable, AsyncDisposable {
  readonly #connection: ActorConnection
  readonly #owns: boolean
  /** What its calls have in common. */
  readonly #behaviour: CallBehaviour

  constructor(connection: ActorConnection, owns: boolean, behaviour: CallBehaviour) {
    this.#connection = connection
    this.#owns = owns
    this.#behaviour = behaviour
  }

  static methodOf(handle: object, name: string): Method | undefined {
    if (!(#connection in handle)) return undefined
    return makeMethod(handle.#connection, name, handle.#behaviour)
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

function makeMethod(connection: ActorConnection, name: string, behaviour: CallBehaviour): Method {
  const { endpoint } = connection.session
  const callable = connection.callable(name)
  const number = endpoint.optionNumber(behaviour)
  const defaults: BoundOptions | undefined = number === 0 ? undefined : { number }
  const call = (...args: unknown[]): unknown => endpoint.invoke(callable, args, defaults)
  const bind = (options: MethodCallOptions & CallOptions) => {
    checkMethodOptions(options)
    const { timeoutMs, signal, ...others } = options
    const bound: BoundOptions = { number: endpoint.optionNumber({ ...behaviour, ...others }) }
    if (timeoutMs !== undefined) bound.timeoutMs = timeoutMs
    if (signal !== undefined) bound.signal = signal
    return (...args: unknown[]): unknown => endpoint.invoke(callable, args, bound)
  }
  const stream = (...args: unknown[]): unknown => endpoint.openStream(callable, args, defaults)
  return Object.assign(call, { with: bind, stream })
}

// `instanceof` and the methods above work through the target; whatever else is asked for by name is a method of the actor.
const prototype = new Proxy(HandleObject.prototype, {
  get(target, key, receiver: object): unknown {
    if (typeof key === 'symbol' || key in target) return Reflect.get(target, key, receiver)
    const method = neverMethods.has(key) ? undefined : HandleObject.methodOf(receiver, key)
    if (method === undefined) return undefined
    Object.defineProperty(receiver, key, { value: method })
    return method
  },
})

/** `new` with it makes objects whose prototype is the Proxy. */
const construct = function () {} as unknown as new () => unknown
construct.prototype = prototype

/** A handle over a connection. */
export function makeHandle<Api>(
  connection: ActorConnection,
  owns: boolean,
  behaviour: CallBehaviour,
): ActorHandle<Api> {
  const args = [connection, owns, behaviour]
  return Reflect.construct(HandleObject, args, construct) as ActorHandle<Api>
}

/** A handle for one that was inside a received value. */
export function adoptHandle(
  session: Session,
  fields: ActorHandleFields,
  behaviour: CallBehaviour = {},
): ActorHandle {
  return makeHandle(ActorConnection.of(session, fields), false, behaviour)
}

/** The connection behind a handle; undefined for everything else. */
export function connectionOf(handle: unknown): ActorConnection | undefined {
  const isObject = typeof handle === 'object' && handle !== null
  return isObject ? HandleObject.connectionOf(handle) : undefined
}
