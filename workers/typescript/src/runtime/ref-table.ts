/** What is kept in a RefTable: several objects may stand for one ref. */
export interface TableEntry {
  readonly id: number
  nextOfSameId: TableEntry | undefined
}

const initialSize = 1024

/**
 * Objects by ref, for refs that an event is expected for. The core numbers refs so that the low bits of live ones differ, which
 * makes an array indexed by them enough nearly always: a tenth of the time of a Map. Collisions go to a Map until the array
 * has grown.
 */
export class RefTable<T extends TableEntry> {
  #slots = new Array<T | undefined>(initialSize).fill(undefined)
  #mask = initialSize - 1
  #others = new Map<number, T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(entry: T): void {
    const slot = entry.id & this.#mask
    const found = this.#slots[slot]
    this.#size++
    if (found === undefined && this.#others.size === 0) {
      this.#slots[slot] = entry
      return
    }
    this.#addSlowly(entry, slot, found)
  }

  /** Removes and returns the first of the objects that stand for the ref. */
  take(id: number): T | undefined {
    const slot = id & this.#mask
    const found = this.#slots[slot]
    if (found !== undefined && found.id === id) {
      this.#slots[slot] = undefined
      this.#forget(found)
      return found
    }
    const other = this.#others.get(id)
    if (other === undefined) return undefined
    this.#others.delete(id)
    this.#forget(other)
    return other
  }

  /** Removes one object; the others of its ref stay. */
  remove(entry: T): boolean {
    let rest = this.take(entry.id)
    let found = false
    while (rest !== undefined) {
      const next = rest.nextOfSameId as T | undefined
      rest.nextOfSameId = undefined
      if (rest === entry) found = true
      else this.add(rest)
      rest = next
    }
    return found
  }

  list(): T[] {
    const all: T[] = []
    for (const first of [...this.#slots, ...this.#others.values()]) {
      let entry: TableEntry | undefined = first
      for (; entry !== undefined; entry = entry.nextOfSameId) all.push(entry as T)
    }
    return all
  }

  /** Removes and returns everything. */
  takeAll(): T[] {
    const all = this.list()
    this.#slots.fill(undefined)
    this.#others.clear()
    this.#size = 0
    return all
  }

  #forget(first: T): void {
    for (let entry: TableEntry | undefined = first; entry; entry = entry.nextOfSameId) this.#size--
  }

  #addSlowly(entry: T, slot: number, found: T | undefined): void {
    if (found?.id === entry.id) {
      entry.nextOfSameId = found
      this.#slots[slot] = entry
    } else if (found === undefined && !this.#others.has(entry.id)) {
      this.#slots[slot] = entry
    } else {
      entry.nextOfSameId = this.#others.get(entry.id)
      this.#others.set(entry.id, entry)
      if (this.#others.size > this.#slots.length / 8) this.#grow()
    }
  }

  #grow(): void {
    const entries = [...this.#slots, ...this.#others.values()]
    const size = this.#slots.length * 4
    this.#slots = new Array<T | undefined>(size).fill(undefined)
    this.#others = new Map()
    this.#mask = size - 1
    for (const entry of entries) {
      if (entry === undefined) continue
      const slot = entry.id & this.#mask
      if (this.#slots[slot] === undefined) this.#slots[slot] = entry
      else this.#others.set(entry.id, entry)
    }
  }
}
