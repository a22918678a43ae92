// The tagged values of the golden vectors (test/conformance/golden/README.md), and the values of TypeScript for them.

import { type ErrorValue, fromErrorValue } from '../../errors/index.ts'
import { CallArguments } from '../decoder.ts'
import { type Dtype, dtypes } from '../dtype.ts'
import { NdArray } from '../nd-array.ts'
import { plainTimeFrom } from '../plain-time.ts'
import { Tuple } from '../tuple.ts'
import { expandHex, GoldenActor, GoldenRef, toHex } from './golden.ts'

interface Repeated<T> {
  readonly repeat: T
  readonly count: number
}

export interface TaggedError {
  readonly code: string
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly language?: string | undefined
  readonly cause?: { readonly error: TaggedError } | undefined
  readonly data?: Tagged | undefined
}

export interface TaggedArray {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly hex: string
}

/** What each tag holds. */
export interface TagContents {
  null: null
  bool: boolean
  int: string
  float: string
  str: string | Repeated<string>
  bytes: string
  list: readonly Tagged[] | Repeated<Tagged>
  nested_lists: number
  map: readonly (readonly [Tagged, Tagged])[]
  set: readonly Tagged[]
  tuple: readonly Tagged[]
  instant: { readonly seconds: string; readonly nanoseconds: number }
  datetime: string
  date: string
  time: string
  duration: string
  ndarray: TaggedArray
  ref: number
  actor: {
    readonly id: string
    readonly language: string
    readonly class: string
    readonly methods: readonly string[] | null
  }
  error: TaggedError
  arguments: {
    readonly positional: readonly Tagged[]
    readonly keywords: readonly (readonly [string, Tagged])[]
  }
  python_object: readonly string[]
}

type Tag = keyof TagContents
/** Has exactly one of the tags. */
export type Tagged = Readonly<Partial<TagContents>>
type PerTag<Result> = { readonly [K in Tag]: (content: TagContents[K]) => Result }

function dispatch<Result>(table: PerTag<Result>, tagged: Tagged): Result {
  const [tag, content] = Object.entries(tagged)[0] as [Tag, never]
  return table[tag](content)
}

export function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function parseFloatText(text: string): number {
  return Number(text.replace('inf', 'Infinity'))
}

function expandText(content: TagContents['str']): string {
  return typeof content === 'string' ? content : content.repeat.repeat(content.count)
}

function expandList(content: TagContents['list']): readonly Tagged[] {
  if ('repeat' in content) return new Array<Tagged>(content.count).fill(content.repeat)
  return content
}

function nestedLists(depth: number): Tagged {
  return { list: depth === 1 ? [] : [nestedLists(depth - 1)] }
}

function normalizeError(error: TaggedError): TaggedError {
  const cause = error.cause && { error: normalizeError(error.cause.error) }
  const data = error.data && normalize(error.data)
  return withoutUndefined({ ...error, cause, data })
}

export function withoutUndefined<T extends object>(object: T): T {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as T
}

const normalizers: PerTag<Tagged> = {
  null: () => ({ null: null }),
  bool: (bool) => ({ bool }),
  int: (int) => ({ int }),
  float: (text) => ({ float: floatText(parseFloatText(text)) }),
  str: (content) => ({ str: expandText(content) }),
  bytes: (hex) => ({ bytes: toHex(expandHex(hex)) }),
  list: (content) => ({ list: expandList(content).map(normalize) }),
  nested_lists: nestedLists,
  map: (pairs) => ({ map: pairs.map(([key, item]) => [normalize(key), normalize(item)]) }),
  set: (items) => ({ set: items.map(normalize) }),
  tuple: (items) => ({ tuple: items.map(normalize) }),
  instant: (instant) => ({ instant }),
  datetime: (datetime) => ({ datetime }),
  date: (date) => ({ date }),
  time: (time) => ({ time }),
  duration: (duration) => ({ duration }),
  ndarray: (array) => ({ ndarray: { ...array, hex: toHex(expandHex(array.hex)) } }),
  ref: (ref) => ({ ref }),
  actor: (actor) => ({ actor }),
  error: (error) => ({ error: normalizeError(error) }),
  arguments: ({ positional, keywords }) => ({
    arguments: {
      positional: positional.map(normalize),
      keywords: keywords.map(([name, item]) => [name, normalize(item)]),
    },
  }),
  python_object: (parts) => ({ python_object: parts }),
}

/** Writes out the short forms of a tagged value, so that two can be compared. */
export function normalize(tagged: Tagged): Tagged {
  return dispatch(normalizers, tagged)
}

function buildMap(pairs: TagContents['map']): unknown {
  const entries = pairs.map(([key, item]) => [build(key), build(item)] as const)
  if (!entries.every(([key]) => typeof key === 'string')) return new Map(entries)
  return Object.fromEntries(entries as [string, unknown][])
}

function buildArray({ dtype, shape, hex }: TaggedArray): unknown {
  const info = dtypes.get(dtype)
  if (info === undefined) throw new Error(`no dtype ${dtype}`)
  const { buffer, byteLength } = expandHex(hex)
  const data = new info.construct(buffer, 0, byteLength / info.construct.BYTES_PER_ELEMENT)
  return info.bare && shape.length === 1 ? data : new NdArray(data, shape, { dtype })
}

function buildError(error: TaggedError): ErrorValue {
  const cause = error.cause && buildError(error.cause.error)
  const data = error.data && (build(error.data) as Record<string, unknown>)
  return { ...error, cause, data }
}

const builders: PerTag<unknown> = {
  null: () => null,
  bool: (value) => value,
  int: (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)),
  float: parseFloatText,
  str: expandText,
  bytes: expandHex,
  list: (content) => expandList(content).map(build),
  nested_lists: (depth) => build(nestedLists(depth)),
  map: buildMap,
  set: (items) => new Set(items.map(build)),
  tuple: (items) => Tuple.from(items.map(build)),
  instant: ({ seconds, nanoseconds }) => new Date(Number(seconds) * 1000 + nanoseconds / 1_000_000),
  datetime: (text) => plainTimeFrom('datetime', text),
  date: (text) => plainTimeFrom('date', text),
  time: (text) => plainTimeFrom('time', text),
  duration: (text) => plainTimeFrom('duration', text),
  ndarray: buildArray,
  ref: (index) => new GoldenRef(index),
  actor: ({ id, language, class: classKey, methods }) =>
    new GoldenActor({ id: expandHex(id), language, classKey, methods }),
  error: (error) => fromErrorValue(buildError(error)),
  arguments: ({ positional, keywords }) => {
    const named = keywords.map(([name, item]) => [name, build(item)])
    const values = Object.fromEntries(named) as Record<string, unknown>
    return new CallArguments(positional.map(build), values)
  },
  python_object: () => {
    throw new Error('TypeScript has no Python-only objects')
  },
}

/** The value of TypeScript for a tagged one. */
export function build(tagged: Tagged): unknown {
  return dispatch(builders, tagged)
}
