import type { ActorHandleFields } from '../codec/index.ts'
import { makeError } from '../errors/index.ts'
import { cancelForce, cancelRecursive } from '../native/layout.ts'
import type { GetOptions, ObjectRef } from '../runtime/object-ref.ts'
import { type ActorHandle, adoptHandle, connectionOf } from './actor-handle.ts'
import {
  checkCancelOptions,
  checkGetActorOptions,
  type HandleOptions,
  splitOptions,
} from './options.ts'
import type { AnyApi } from './remote-types.ts'
import { currentSession } from './session.ts'
import { localRef } from './wait.ts'

/** The values of a list of refs. */
export type Values<Refs extends readonly ObjectRef[]> = {
  -readonly [K in keyof Refs]: Refs[K] extends ObjectRef<infer T> ? T : never
}

/**
 * Stores a value, so that it can be passed to many calls without being sent with each. Throws SerializationError with the path
 * of what cannot be sent, StoreFullError.
 */
export function put<T>(value: T): ObjectRef<T> {
  return currentSession('put').endpoint.put(value) as unknown as ObjectRef<T>
}

/**
 * The value of a ref, or the values of a list of refs in its order. The first failure is thrown; the other calls go on.
 * `timeoutMs` limits the wait for all of them together.
 */
export function get<T>(ref: ObjectRef<T>, options?: GetOptions): Promise<T>
export function get<const Refs extends readonly ObjectRef[]>(
  refs: Refs,
  options?: GetOptions,
): Promise<Values<Refs>>
export function get(
  refs: ObjectRef | readonly ObjectRef[],
  options?: GetOptions,
): Promise<unknown> {
  if (!Array.isArray(refs)) return localRef(refs, 'ref').get(options)
  const list = refs as readonly ObjectRef[]
  return Promise.all(list.map((ref, index) => localRef(ref, `refs[${index}]`).get(options)))
}

export interface CancelOptions {
  /** Cancels the calls that the cancelled one has made, too; true by default. */
  recursive?: boolean
  /** A running task that does not end by itself within a tenth of a second is ended with its worker. Actors never are. */
  force?: boolean
}

/**
 * Asks to cancel a call. One that has not begun fails with CancelledError. One that runs is told (`context().signal`,
 * `context().isCancelled`) and ends as it likes; its caller gets what it returns.
 */
export function cancel(ref: ObjectRef, options: CancelOptions = {}): void {
  checkCancelOptions(options)
  const { recursive = true, force = false } = options
  const flags = (recursive ? cancelRecursive : 0) | (force ? cancelForce : 0)
  currentSession('cancel').endpoint.cancel(localRef(ref, 'ref'), flags)
}

/** Ends an actor at once, whatever it is doing: its pending calls fail with ActorDiedError. */
export async function kill(actor: object): Promise<void> {
  const connection = connectionOf(actor)
  if (connection === undefined) {
    throw makeError('INVALID_ARGUMENT', { option: 'actor', reason: 'must be an actor handle' })
  }
  await currentSession('kill').callAgent('kill_actor', [connection.fields.id, false])
}

/** The options of calls hold for the handle that is returned, the limits for this process. */
export interface GetActorOptions extends HandleOptions {
  namespace?: string
}

/** The living actor of a name. Fails with ActorNotFoundError, which lists the names that exist. */
export async function getActor<Api = AnyApi>(
  name: string,
  options: GetActorOptions = {},
): Promise<ActorHandle<Api>> {
  const session = currentSession('getActor')
  checkGetActorOptions(options)
  const { behaviour, flow, rest } = splitOptions(options)
  const namespace = rest.namespace ?? session.namespace
  const args = namespace === '' ? [name] : [name, namespace]
  const found = (await session.callAgent('get_actor', args)) as Record<string, unknown>
  const fields: ActorHandleFields = {
    id: found['id'] as Uint8Array,
    language: found['language'] as string,
    classKey: found['class'] as string,
    methods: found['methods'] as readonly string[] | null,
    isRestartable: found['restartable'] === true,
  }
  const handle = adoptHandle(session, fields, behaviour) as ActorHandle<Api>
  connectionOf(handle)!.limit(flow)
  return handle
}
