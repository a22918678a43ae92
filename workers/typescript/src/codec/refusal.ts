// How the encoder says no. A refusal starts where the offending value is and collects the path on its way out through the
// containers, so that the path costs nothing while nothing is wrong.

import { SerializationError } from '../errors/generated.ts'
import { depthMax } from './format.ts'

interface Step {
  readonly container: object
  readonly segment: string
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** `.name`, or `["odd name"]`. */
export function memberSegment(key: string): string {
  return identifier.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

/** Thrown inside the encoder only; its callers see the SerializationError that it becomes. */
export class Refusal extends Error {
  readonly #tooDeep: boolean
  /** Innermost first. */
  readonly #steps: Step[] = []

  constructor(reason: string, tooDeep = false) {
    super(reason)
    this.#tooDeep = tooDeep
  }

  static tooDeep(): Refusal {
    return new Refusal(`it is nested more than ${depthMax} levels deep`, true)
  }

  leave(container: object, segment: string): void {
    this.#steps.push({ container, segment })
  }

  /** `root` names the whole: `args`, `return value`. */
  toError(root: string): SerializationError {
    const steps = this.#steps.reverse()
    const cycle = this.#tooDeep ? findCycle(steps) : undefined
    if (cycle !== undefined) {
      const path = pathOf(root, steps.slice(0, cycle.end))
      const ancestor = pathOf(root, steps.slice(0, cycle.start))
      return refused(path, `it is ${ancestor} again, so the value contains itself`)
    }
    const path = pathOf(root, steps)
    // A path of 500 members helps nobody: its start tells where to look.
    return refused(this.#tooDeep ? `${pathOf(root, steps.slice(0, 8))}…` : path, this.message)
  }
}

function pathOf(root: string, steps: readonly Step[]): string {
  return root + steps.map((step) => step.segment).join('')
}

/** The first container that appears again below itself: `steps[start]` is the same object as `steps[end]`. */
function findCycle(steps: readonly Step[]): { start: number; end: number } | undefined {
  const seen = new Map<object, number>()
  for (const [end, { container }] of steps.entries()) {
    const start = seen.get(container)
    if (start !== undefined) return { start, end }
    seen.set(container, end)
  }
  return undefined
}

function refused(path: string, reason: string): SerializationError {
  return new SerializationError(`${path} cannot be sent: ${reason}`, { data: { path, reason } })
}
