import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type GoldenCase,
  readGolden,
} from '../../../workers/typescript/src/codec/testing/golden.ts'
import { normalize, type Tagged } from '../../../workers/typescript/src/codec/testing/tagged.ts'
import type { LanguageName, Step } from './protocol.ts'

/** What the runner itself does with a file of the case's folder. */
export interface FileStep {
  /** `until`: waits until the file is there; `touch`: makes it; `holds`: compares its text. */
  readonly op: 'until' | 'touch' | 'holds'
  readonly file: string
  readonly text?: string
}

/** A step, and what has to become of it. */
export type ExpectedStep = Omit<Step, 'callee'> & {
  /** The callee is in the caller's language, or in the one that is not the case's. */
  readonly in?: 'caller' | 'other'
  /** Parts of the text that it gives. */
  readonly contains?: readonly string[]
  /** `range` stands for the list of so many integers from 0. */
  readonly gives?: Tagged | { readonly range: number }
  readonly items?: readonly Tagged[]
  readonly fails?: {
    /** One of them, where a race decides. */
    readonly code: string | readonly string[]
    readonly message?: string
    /** Names and messages of the chain of causes, by the language of the callee. */
    readonly causes?: Readonly<Record<LanguageName, readonly (readonly [string, string])[]>>
  }
}

export interface Case {
  readonly name: string
  /** The languages of the callees for which there is this case; all unless given. */
  readonly callees?: readonly LanguageName[]
  readonly steps: readonly (ExpectedStep | FileStep)[]
}

export function isFileStep(step: ExpectedStep | FileStep): step is FileStep {
  return 'file' in step
}

const folder = join(import.meta.dirname, '..')

/** The cases of a file by the file's name. */
export function behaviourCases(): Map<string, readonly Case[]> {
  const files = readdirSync(join(folder, 'cases')).sort()
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(folder, 'cases', file), 'utf8')
      return [file.replace('.json', ''), JSON.parse(text) as Case[]]
    }),
  )
}

const goldenFiles = ['scalars', 'text-and-bytes', 'containers', 'times', 'arrays']

/** The golden vectors as cases: each value is sent, and comes back. */
export function echoCases(caller: LanguageName, callee: LanguageName): Map<string, Case[]> {
  const languages = new Set([caller, callee])
  const sendable = (golden: GoldenCase): boolean => {
    // Refs have cases of their own; the deepest value that can be is one level too deep for an argument.
    if (golden.refs !== undefined || golden.value.nested_lists === 500) return false
    const rules = golden[caller as 'typescript']
    return rules?.as === undefined && rules?.write !== 'no' && rules?.read !== 'refused'
  }
  const echo = (golden: GoldenCase): Case => {
    let value = golden.value
    for (const language of languages) value = golden[language as 'typescript']?.as ?? value
    return {
      name: golden.name,
      steps: [
        { op: 'call', task: 'echo', args: [golden.value], as: 'echoed' },
        { op: 'get', from: 'echoed', gives: value },
      ],
    }
  }
  return new Map(
    goldenFiles.map((file) => [`echo of ${file}`, readGolden(file).filter(sendable).map(echo)]),
  )
}

/** Writes a tagged value out so that equal values have equal forms: sets have no order, floats one spelling. */
export function canonical(given: Tagged | { readonly range: number }): Tagged {
  if ('range' in given) {
    return { list: Array.from({ length: given.range }, (_, index) => ({ int: String(index) })) }
  }
  const tagged = given
  const [tag, content] = Object.entries(normalize(tagged))[0] as [string, unknown]
  const each = (items: readonly Tagged[]): Tagged[] => items.map((item) => canonical(item))
  if (tag === 'list' || tag === 'tuple') return { [tag]: each(content as Tagged[]) }
  if (tag === 'map') return { map: (content as [Tagged, Tagged][]).map(each) as [Tagged, Tagged][] }
  if (tag === 'set') {
    const texts = each(content as Tagged[]).map((item) => JSON.stringify(item))
    return { set: texts.sort().map((text) => JSON.parse(text) as Tagged) }
  }
  return { [tag]: content }
}

interface KnownFailure {
  readonly case: string
  readonly pair: string
  readonly reason: string
}

/** Cases that fail today. They run, and fail the suite when they start to pass. */
export function knownFailures(): readonly KnownFailure[] {
  return JSON.parse(readFileSync(join(folder, 'known-failures.json'), 'utf8')) as KnownFailure[]
}
