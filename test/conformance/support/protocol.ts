// What the runner and the drivers say to each other.

import type { Tagged } from '../../../workers/typescript/src/codec/testing/tagged.ts'

export type LanguageName = 'typescript' | 'python'

/** Options of actors, and of calls. Each driver spells them as its language does. */
export interface StepOptions {
  readonly name?: string
  readonly maxConcurrency?: number
  /** Limits by the names of groups. */
  readonly groups?: Readonly<Record<string, number>>
  readonly maxRestarts?: number
  readonly maxPendingCalls?: number
  readonly whenFull?: 'refuse' | 'wait'
  readonly timeoutMs?: number
  readonly retries?: number
  readonly retryOn?: boolean | readonly string[]
  readonly retryDelayMs?: number
  readonly priority?: number
  readonly cpu?: number
  readonly group?: string
  readonly inOrder?: boolean
}

/** One step of a case; README.md lists what each operation reads. */
export interface Step {
  readonly op:
    | 'init'
    | 'create'
    | 'find'
    | 'kill'
    | 'call'
    | 'put'
    | 'get'
    | 'stream'
    | 'many'
    | 'wait'
    | 'cancel'
    | 'room'
    | 'pending'
    | 'reset'
    | 'stats'
  readonly callee: { readonly language: LanguageName; readonly module: string }
  readonly address?: string
  /** The callee's module; `callee` unless given. */
  readonly module?: string
  readonly as?: string
  readonly from?: string
  readonly task?: string
  readonly on?: string
  readonly method?: string
  readonly class?: string
  readonly name?: string
  readonly options?: StepOptions
  readonly force?: boolean
  readonly recursive?: boolean
  readonly args?: readonly Tagged[]
  readonly kwargs?: Readonly<Record<string, Tagged>>
  readonly things?: readonly string[]
  readonly refs?: readonly string[]
  readonly count?: number
  readonly limit?: number
}

/** What became of a step. */
export interface Answer {
  readonly value?: Tagged
  readonly things?: readonly string[]
  readonly items?: readonly Tagged[]
  readonly error?: {
    readonly code: string
    readonly message: string
    readonly causes: readonly (readonly [name: string, message: string])[]
  }
  readonly stats?: { readonly refs: number; readonly objects: number }
}
