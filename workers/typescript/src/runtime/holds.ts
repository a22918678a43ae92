import type { Outbox } from '../native/outbox.ts'
import type { Hold } from './ref-state.ts'

/** In a hold that many refs share: it has no place of its own. */
const shared = -1

/**
 * Counts of the core's refs that objects of this thread own. An object that is collected gives its counts back; so do all of
 * them when the endpoint closes.
 */
export class Holds {
  readonly #outbox: Outbox
  readonly #live: (number[] | undefined)[] = []
  readonly #free: number[] = []
  readonly #registry: FinalizationRegistry<Hold>
  /** How many counts have been held since the beginning. */
  made = 0

  constructor(outbox: Outbox) {
    this.#outbox = outbox
    this.#registry = new FinalizationRegistry((hold) => {
      if (this.#live[hold.slot] !== hold.refs) return
      this.drop(hold)
      this.#release(hold.refs)
    })
  }

  /** `owner` holds one count of a ref from now on. */
  hold(owner: object, ref: number): Hold {
    const hold = this.#add([ref])
    this.#registry.register(owner, hold)
    return hold
  }

  /** A hold for several refs: whoever keeps it keeps their counts. Refs are added to its list. */
  share(): Hold {
    const hold = this.#add([])
    const owner: Hold = { refs: hold.refs, slot: shared }
    this.#registry.register(owner, hold)
    return owner
  }

  /** The counts of the hold have been given back otherwise. */
  drop({ slot, refs }: Hold): void {
    if (slot === shared || this.#live[slot] !== refs) return
    this.#live[slot] = undefined
    this.#free.push(slot)
  }

  releaseAll(): void {
    for (const refs of this.#live) if (refs !== undefined) this.#release(refs)
    this.#live.length = 0
    this.#free.length = 0
  }

  #add(refs: number[]): Hold {
    this.made++
    const slot = this.#free.pop() ?? this.#live.length
    this.#live[slot] = refs
    return { refs, slot }
  }

  #release(refs: readonly number[]): void {
    for (const ref of refs) if (ref !== 0) this.#outbox.release(ref)
  }
}
