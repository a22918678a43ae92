import { makeError, type ThornbackError } from './errors.ts'

/**
 * `restarting`: its process is gone, and it waits for another one. `dying`: its process is gone for good, and how it ended will
 * be known in a moment.
 */
export type ActorState = 'pending' | 'starting' | 'alive' | 'restarting' | 'dying' | 'dead'
/** Where an actor is called: endpoint and instance. */
export type Address = readonly [endpoint: number, instance: number]

export interface ActorDescription {
  /** 16 bytes in hexadecimal digits, chosen by the creator. */
  readonly id: string
  readonly language: string
  /** `module:name` */
  readonly className: string
  /** What people call the class where `className` is a digest: one of a script. */
  readonly label: string | null
  readonly name: string | null
  readonly namespace: string
  readonly methods: readonly string[] | null
  /** How often it is started again after its process has ended; -1 without limit. */
  readonly maxRestarts: number
  /** The endpoint that asked for it, and the driver that it works for. */
  readonly creator: number
  readonly job: number
}

export interface AddressWaiter {
  /** The endpoint at which whoever waits found the actor dead: its address there is no answer. */
  readonly goneAt?: number | undefined
  resolve(address: Address): void
  reject(error: ThornbackError): void
}

export interface Actor extends ActorDescription {
  state: ActorState
  /** Which of its lives this is, from 1 on; 0 before the first. */
  incarnation: number
  /** The worker on which it lives, from `starting` on. */
  token: string | null
  address: Address | null
  /** Why it is dead. */
  error: ThornbackError | null
  /** How its lives ended, the last ones. */
  readonly deaths: string[]
  readonly waiters: AddressWaiter[]
}

const deadMax = 1_000
const deathsMax = 100

/** Which actors exist, by id and by name, and in which state. Starts and stops nothing. */
export class ActorRegistry {
  readonly #actors = new Map<string, Actor>()
  readonly #names = new Map<string, Actor>()
  readonly #aliases = new Map<string, string>()
  readonly #dead: string[] = []

  /**
   * Enters a new actor. With `getIfExists` a living actor of that name is returned instead, which the given id then means too.
   */
  create(description: ActorDescription, getIfExists: boolean): { actor: Actor; created: boolean } {
    const { id, name, namespace } = description
    if (this.find(id)) {
      throw makeError('INVALID_ARGUMENT', { option: 'id', reason: `actor ${id} exists already` })
    }
    const holder = name === null ? undefined : this.#names.get(nameKey(namespace, name))
    if (holder) {
      if (!getIfExists) throw makeError('NAME_TAKEN', { name })
      this.#aliases.set(id, holder.id)
      return { actor: holder, created: false }
    }
    const blank = { incarnation: 0, token: null, address: null, error: null }
    const actor: Actor = { ...description, state: 'pending', ...blank, deaths: [], waiters: [] }
    this.#actors.set(id, actor)
    if (name !== null) this.#names.set(nameKey(namespace, name), actor)
    return { actor, created: true }
  }

  find(id: string): Actor | undefined {
    return this.#actors.get(this.#aliases.get(id) ?? id)
  }

  get(id: string): Actor {
    const actor = this.find(id)
    if (actor) return actor
    const available = `${this.#actors.size} others`
    throw makeError('NOT_FOUND', { kind: 'actor', name: id, available })
  }

  getByName(name: string, namespace: string): Actor {
    const actor = this.#names.get(nameKey(namespace, name))
    if (actor) return actor
    throw makeError('ACTOR_NOT_FOUND', { name, available: this.#namesIn(namespace) })
  }

  starting(actor: Actor, token: string): void {
    actor.state = 'starting'
    actor.token = token
    actor.incarnation += 1
  }

  alive(actor: Actor, address: Address): void {
    if (actor.state !== 'starting') return
    actor.state = 'alive'
    actor.address = address
    for (const waiter of actor.waiters.splice(0)) this.wait(actor, waiter)
  }

  /** Its process is gone, and it will get another one: it has no address until then, and keeps its name. */
  restarting(actor: Actor): void {
    if (actor.state === 'dead') return
    actor.state = 'restarting'
    actor.token = null
    actor.address = null
  }

  noteDeath(actor: Actor, cause: string): void {
    actor.deaths.push(cause)
    if (actor.deaths.length > deathsMax) actor.deaths.shift()
  }

  /** Its process is gone for good: it has no address any more, and its name is free. */
  dying(actor: Actor): void {
    if (actor.state === 'dead') return
    actor.state = 'dying'
    actor.address = null
    this.#freeName(actor)
  }

  /** Ends the actor for good; its name is free again. The first cause counts. */
  dead(actor: Actor, error: ThornbackError): void {
    if (actor.state === 'dead') return
    actor.state = 'dead'
    actor.error = error
    actor.address = null
    this.#freeName(actor)
    for (const waiter of actor.waiters.splice(0)) waiter.reject(error)
    this.#dead.push(actor.id)
    if (this.#dead.length > deadMax) this.#forget(this.#dead.shift()!)
  }

  /** Tells the address now, or when the actor is alive: not the one at which it is already known to be gone. */
  wait(actor: Actor, waiter: AddressWaiter): void {
    const { address } = actor
    if (actor.state === 'dead') waiter.reject(actor.error!)
    else if (address && address[0] !== waiter.goneAt) waiter.resolve(address)
    else actor.waiters.push(waiter)
  }

  stopWaiting(actor: Actor, waiter: AddressWaiter): void {
    const at = actor.waiters.indexOf(waiter)
    if (at >= 0) actor.waiters.splice(at, 1)
  }

  list(): Actor[] {
    return [...this.#actors.values()]
  }

  living(matches: (actor: Actor) => boolean): Actor[] {
    return this.list().filter((actor) => actor.state !== 'dead' && matches(actor))
  }

  #freeName({ id, name, namespace }: Actor): void {
    if (name === null) return
    const key = nameKey(namespace, name)
    if (this.#names.get(key)?.id === id) this.#names.delete(key)
  }

  #forget(id: string): void {
    this.#actors.delete(id)
    for (const [alias, target] of this.#aliases) {
      if (target === id) this.#aliases.delete(alias)
    }
  }

  #namesIn(namespace: string): string {
    const names: string[] = []
    for (const actor of this.#names.values()) {
      if (actor.namespace === namespace) names.push(actor.name!)
    }
    const shown = names.slice(0, 10).join(', ')
    if (names.length === 0) return 'none'
    return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
  }
}

/** What a person calls the actor. */
export function displayName(actor: ActorDescription): string {
  const short = actor.label ?? actor.className.slice(actor.className.lastIndexOf(':') + 1)
  return actor.name === null ? short : `${short} "${actor.name}"`
}

export function diedError(actor: ActorDescription, reason: string): ThornbackError {
  return makeError('ACTOR_DIED', { actor: displayName(actor), reason })
}

function nameKey(namespace: string, name: string): string {
  return `${namespace}\0${name}`
}
