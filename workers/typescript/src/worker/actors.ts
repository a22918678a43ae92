import { makeError } from '../errors/index.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { IncomingCall } from '../runtime/incoming-call.ts'
import { ObjectRef } from '../runtime/object-ref.ts'
import type { ActorIdentity, HostedActor } from '../sdk/context.ts'
import { methodsOf } from '../sdk/registry.ts'
import { available } from './close-matches.ts'
import { closeGroups, openGroups } from './concurrency-groups.ts'
import { execute } from './execute.ts'
import { loadClass } from './modules.ts'

interface Actor extends HostedActor {
  readonly object: Readonly<Record<string, unknown>>
}

type Options = Readonly<Record<string, unknown>>

const methodPrefix = 'method::'
const disposeMs = 1_000

/** The actors of this process, by instance. */
export class Actors {
  readonly #endpoint: Endpoint
  readonly #actors = new Map<number, Actor>()

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
  }

  /** `worker::create_actor`: instance, id, class, [positional, keywords], options. */
  create(call: IncomingCall): void {
    const [instance, id, key, args, options] = call.args as [
      number,
      Uint8Array,
      string,
      [unknown[], object] | null,
      Options | null,
    ]
    const identity: ActorIdentity = {
      id: Buffer.from(id).toString('hex'),
      name: options?.['name'] as string | undefined,
      namespace: options?.['namespace'] as string | undefined,
      class: key,
    }
    void this.#create(call, instance, identity, args ?? [[], {}], options ?? {})
  }

  async #create(
    call: IncomingCall,
    instance: number,
    identity: ActorIdentity,
    args: readonly [unknown[], object],
    options: Options,
  ): Promise<void> {
    try {
      const construct = await loadClass(identity.class)
      const given = await resolveRefs(args)
      const restartCount = ((options['incarnation'] as number | undefined) ?? 1) - 1
      const gpus = Object.freeze((options['gpus'] as number[] | undefined) ?? [])
      const hosted: HostedActor = { identity, restartCount, gpus }
      const make = (): void => {
        const object = new construct(...given) as Actor['object']
        const actor = { ...hosted, object }
        const error = openGroups(
          this.#endpoint,
          instance,
          options,
          displayName(actor),
          names(actor),
        )
        if (error === undefined) this.#actors.set(instance, actor)
        else call.fail(error)
      }
      execute(call, hosted, make)
    } catch (error) {
      call.fail(error)
    }
  }

  /** A method call. */
  call(call: IncomingCall): void {
    const actor = this.#actors.get(call.instance)
    if (actor !== undefined) startMethod(actor, call)
    else call.fail(makeError('ACTOR_DIED', { actor: call.instance, reason: 'it was ended' }))
  }

  /** `worker::destroy_actor`: instance. */
  async destroy(call: IncomingCall): Promise<void> {
    const instance = call.args[0] as number
    const actor = this.#actors.get(instance)
    this.#actors.delete(instance)
    closeGroups(this.#endpoint, instance)
    if (actor !== undefined) await dispose(actor)
    call.reply()
  }

  /** Ends all actors; waits for those that have something to finish, for a second at most. */
  async destroyAll(): Promise<void> {
    const actors = [...this.#actors.values()]
    this.#actors.clear()
    await Promise.all(actors.map((actor) => dispose(actor)))
  }
}

function startMethod(actor: Actor, call: IncomingCall): void {
  const name = call.function.slice(methodPrefix.length)
  const method = actor.object[name]
  if (typeof method !== 'function' || name === 'constructor') {
    call.fail(noMethod(actor, name))
    return
  }
  execute(call, actor, (args) => Reflect.apply(method, actor.object, args))
}

/** Names of what can be called. */
function names({ object }: Actor): string[] {
  const own = Object.keys(object).filter((each) => typeof object[each] === 'function')
  return [...own, ...methodsOf(object.constructor as never)]
}

function displayName({ identity }: Actor): string {
  return identity.class.slice(identity.class.lastIndexOf(':') + 1)
}

function noMethod(actor: Actor, name: string): Error {
  const fields = { kind: 'method', name: `${displayName(actor)}.${name}` }
  return makeError('NOT_FOUND', { ...fields, available: available(name, names(actor)) })
}

/** Arguments of a constructor: refs that stand alone are given as their values, keywords as one object behind the others. */
async function resolveRefs([positional, keywords]: readonly [unknown[], object]): Promise<
  unknown[]
> {
  const value = (each: unknown): unknown => (each instanceof ObjectRef ? each.get() : each)
  const args = await Promise.all(positional.map(value))
  const keys = Object.keys(keywords)
  if (keys.length === 0) return args
  const values = await Promise.all(Object.values(keywords).map(value))
  return [...args, Object.fromEntries(keys.map((name, index) => [name, values[index]]))]
}

async function dispose({ object }: Actor): Promise<void> {
  const disposable = object as Partial<AsyncDisposable & Disposable>
  try {
    const ending = Promise.resolve(
      disposable[Symbol.asyncDispose]?.() ?? disposable[Symbol.dispose]?.(),
    )
    await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, disposeMs).unref())])
  } catch (error) {
    console.error('an actor failed while it was disposed:', error)
  }
}
