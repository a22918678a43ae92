import type { Case, Parameters } from '../catalog/index.ts'
import type { Sample } from '../sample.ts'

export interface Request {
  readonly case: string
  readonly does: string
  readonly seconds: number
  readonly parameters: Parameters
}

/** Something that a case is measured on: a program that stays alive over the rounds, or one that runs once per round. */
export interface Subject {
  measure(request: Request): Promise<Sample>
  close(): Promise<void>
}

/** Where the programs are. */
export interface Programs {
  readonly node: string
  readonly python: string
  /** Python with Ray in it; empty when Ray is not asked for. */
  readonly rayPython: string
}

export type OpenSubject = (name: string, each: Case) => Subject
