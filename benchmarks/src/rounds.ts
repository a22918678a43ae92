import type { Case } from './catalog/index.ts'
import type { Options } from './options.ts'
import { type Placement, combine, lookAtPlacement } from './placement.ts'
import type { Progress } from './progress.ts'
import { type Row, addRatios, makeRow } from './rows.ts'
import type { Sample } from './sample.ts'
import type { OpenSubject, Request, Subject } from './subjects/subject.ts'

export interface Failure {
  readonly case: string
  readonly subject: string
  readonly error: string
}

export interface CaseResult {
  readonly rows: Row[]
  readonly failures: Failure[]
}

/** How often a case is taken again when the CPUs moved while it ran. */
const retakes = 2

export function subjectsOf(each: Case, options: Options): string[] {
  const ours = each.subjects.filter(
    (name) => options.subjects.length === 0 || options.subjects.includes(name),
  )
  if (ours.length === 0) return []
  const peers = options.peers.includes('limit') ? Object.keys(each.limits) : []
  if (options.peers.includes('ray') && each.hasRay) peers.push('ray')
  return [...ours, ...peers]
}

/** Measures one case on all its subjects, in turn, round by round; again if the placement was not `wanted` throughout. */
export async function runCase(
  each: Case,
  open: OpenSubject,
  options: Options,
  progress: Progress,
  wanted: Placement,
): Promise<CaseResult> {
  for (let take = 0; ; take++) {
    const before = await lookAtPlacement()
    const round = new Rounds(each, open, options, progress)
    const samples = await round.run()
    const placement = combine([before, await lookAtPlacement()])
    if (placement !== wanted && take < retakes && !options.allowMixed && !options.small) {
      progress.say(`${each.name}: the CPUs moved (${placement}, not ${wanted}); taken again`)
      continue
    }
    const rows = [...samples].map(([name, taken]) => makeRow(each, name, taken, placement))
    addRatios(each, rows)
    return { rows, failures: round.failures }
  }
}

class Rounds {
  readonly failures: Failure[] = []
  readonly #each: Case
  readonly #open: OpenSubject
  readonly #options: Options
  readonly #progress: Progress
  readonly #subjects = new Map<string, Subject>()

  constructor(each: Case, open: OpenSubject, options: Options, progress: Progress) {
    this.#each = each
    this.#open = open
    this.#options = options
    this.#progress = progress
  }

  async run(): Promise<Map<string, Sample[]>> {
    const names = subjectsOf(this.#each, this.#options)
    const samples = new Map<string, Sample[]>()
    const rounds = Math.min(this.#options.repetitions, this.#each.rounds ?? Infinity)
    try {
      for (let round = 1; round <= rounds; round++) {
        for (const name of names) {
          if (this.failures.some((failure) => failure.subject === name)) continue
          this.#progress.step(round, rounds, name)
          const sample = await this.#measure(name)
          if (sample) samples.set(name, [...(samples.get(name) ?? []), sample])
          else samples.delete(name)
        }
      }
    } finally {
      for (const name of this.#subjects.keys()) await this.#close(name)
    }
    return samples
  }

  async #measure(name: string): Promise<Sample | undefined> {
    const each = this.#each
    const subject = this.#subjects.get(name) ?? this.#open(name, each)
    this.#subjects.set(name, subject)
    const { small } = this.#options
    const request: Request = {
      case: each.name,
      does: each.does,
      seconds: small ? this.#options.seconds : (each.seconds ?? this.#options.seconds),
      parameters: small ? { ...each.parameters, ...each.small } : each.parameters,
    }
    try {
      const sample = await subject.measure(request)
      if (each.isFresh) await this.#close(name)
      return sample
    } catch (error) {
      this.failures.push({ case: each.name, subject: name, error: (error as Error).message })
      await this.#close(name)
      return undefined
    }
  }

  async #close(name: string): Promise<void> {
    const subject = this.#subjects.get(name)
    this.#subjects.delete(name)
    await subject?.close()
  }
}
