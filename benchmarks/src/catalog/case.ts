export const suites = ['calls', 'tasks', 'objects', 'start', 'flow'] as const
export type Suite = (typeof suites)[number]

/** `us/call` is computed from a rate; everything else is what the drivers return. */
export type Unit =
  | 'calls/s'
  | 'tasks/s'
  | 'items/s'
  | 'puts/s'
  | 'gets/s'
  | 'rounds/s'
  | 'GB/s'
  | 'us/call'
  | 'us'
  | 'ms'
  | 'MB'
  | 'MiB'
  | 'bytes'
  | 'ratio'

/** What a driver gets besides the action's name; figures only, so that every language reads them alike. */
export type Parameters = Readonly<Record<string, number | string | boolean>>

/** A figure of thornback_limit (core-native/bench/limit_main.cc), and what turns it into the case's unit. */
export interface Calibrator {
  readonly calibrator: string
  readonly convert?: (value: number) => number
}

/** One thing that is measured, with everybody it is measured on. */
export interface Case {
  readonly name: string
  readonly suite: Suite
  readonly unit: Unit
  /** The drivers' action. */
  readonly does: string
  readonly parameters: Parameters
  /** Ours: `<language of the caller>><language of the callee>`. */
  readonly subjects: readonly string[]
  readonly hasRay: boolean
  /** Peers without any engine: a program in drivers/ (bare rings; JSON over a socket) or a calibrator. */
  readonly limits: Readonly<Record<string, 'rings' | 'socket' | Calibrator>>
  /** Every round is measured by a new driver process in a new session. */
  readonly isFresh: boolean
  /** Options of `init`, where the case needs other than the default ones. */
  readonly prestart?: number
  readonly storeBytes?: number
  /** The driver and everything it starts runs on CPU 0. */
  readonly isOnOneCpu: boolean
  readonly spins: boolean
  /** Seconds of one sample, when it is not the run's. */
  readonly seconds?: number
  /** There are at most so many rounds. */
  readonly rounds?: number
  /** Seconds that an answer may take beyond those that are measured; 120 by default. */
  readonly patienceSeconds?: number
  /** Replaces parameters in a run with `--small`. */
  readonly small: Parameters
}

export type CaseSketch = Pick<Case, 'name' | 'unit' | 'does' | 'subjects'> & Partial<Case>

export function makeCases(suite: Suite, sketches: readonly CaseSketch[]): Case[] {
  return sketches.map((sketch) => ({
    suite,
    parameters: {},
    hasRay: false,
    limits: {},
    isFresh: false,
    isOnOneCpu: false,
    spins: true,
    small: {},
    ...sketch,
  }))
}

const costs: readonly Unit[] = ['us/call', 'us', 'ms', 'MB', 'MiB', 'bytes']

/** For these, less is better. Of a `ratio` the case says what is better. */
export function isCost(unit: Unit): boolean {
  return costs.includes(unit)
}
