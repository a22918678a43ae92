import type { Case } from '../catalog/index.ts'
import type { OpenSubject, Subject } from './subject.ts'

/** Subjects that serve many cases, for runs that measure nothing: starting a session per case would take most of the time. */
export class Shared {
  readonly #open: OpenSubject
  readonly #subjects = new Map<string, Subject>()

  constructor(open: OpenSubject) {
    this.#open = open
  }

  open(name: string, each: Case): Subject {
    const isOwn =
      each.isFresh ||
      each.isOnOneCpu ||
      !each.spins ||
      each.storeBytes !== undefined ||
      name in each.limits
    if (isOwn || each.parameters['isApart']) return this.#open(name, each)
    const subject = this.#subjects.get(name) ?? this.#open(name, each)
    this.#subjects.set(name, subject)
    return { measure: (request) => subject.measure(request), close: () => Promise.resolve() }
  }

  async close(): Promise<void> {
    for (const subject of this.#subjects.values()) await subject.close()
  }
}
