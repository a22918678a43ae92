// Dates and times without a zone. JavaScript has no type for them until Temporal is everywhere, so they carry their ISO 8601
// text, which is what travels.

import { encodeAs, type TimeKind, type ValueWriter } from './encode-as.ts'

const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/
const timePattern = /^(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?$/
const durationPattern = /^(-?)PT(\d{1,14})(?:\.(\d{1,9}))?S$/

function canonicalDate(text: string): string | undefined {
  const match = datePattern.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (year < 1 || month < 1 || month > 12 || day < 1) return undefined
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const last = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day <= last ? text : undefined
}

/** Fractions have no digits when zero, otherwise 6, or 9 where 6 do not suffice. */
function canonicalFraction(digits: string | undefined): string {
  const nine = (digits ?? '').padEnd(9, '0')
  if (nine === '000000000') return ''
  return nine.endsWith('000') ? `.${nine.slice(0, 6)}` : `.${nine}`
}

function canonicalTime(text: string): string | undefined {
  const match = timePattern.exec(text)
  if (match === null) return undefined
  if (Number(match[1]) > 23 || Number(match[2]) > 59 || Number(match[3]) > 59) return undefined
  return `${match[1]}:${match[2]}:${match[3]}${canonicalFraction(match[4])}`
}

function canonicalDatetime(text: string): string | undefined {
  const date = canonicalDate(text.slice(0, 10))
  const time = canonicalTime(text.slice(11))
  const separated = text[10] === 'T' && date !== undefined && time !== undefined
  return separated ? `${date}T${time}` : undefined
}

function canonicalDuration(text: string): string | undefined {
  const match = durationPattern.exec(text)
  if (match === null) return undefined
  const seconds = (match[2] ?? '').replace(/^0+(?=\d)/, '')
  const fraction = canonicalFraction(match[3])
  const zero = seconds === '0' && fraction === ''
  return `${zero ? '' : match[1]}PT${seconds}${fraction}S`
}

const canonical = {
  datetime: canonicalDatetime,
  date: canonicalDate,
  time: canonicalTime,
  duration: canonicalDuration,
} as const

/** Base of the four classes below; its `toString` and `toJSON` give the text. */
export abstract class PlainTime {
  readonly kind: TimeKind
  readonly #text: string

  /** Throws a RangeError if `text` is not of the form that the subclass describes. */
  constructor(kind: TimeKind, text: string) {
    const exact = canonical[kind](text)
    if (exact === undefined) throw new RangeError(`not a ${kind}: ${JSON.stringify(text)}`)
    this.kind = kind
    this.#text = exact
  }

  toString(): string {
    return this.#text
  }

  toJSON(): string {
    return this.#text
  }

  [encodeAs](writer: ValueWriter): void {
    writer.time(this.kind, this.#text)
  }
}

/** A date and time of day without a zone, `2024-02-29T12:34:56.5`; Python's naive `datetime`. An instant is a `Date`. */
export class PlainDateTime extends PlainTime {
  constructor(text: string) {
    super('datetime', text)
  }
}

/** A calendar date, `2024-02-29`. */
export class PlainDate extends PlainTime {
  constructor(text: string) {
    super('date', text)
  }
}

/** A time of day without a zone, `12:34:56`. */
export class PlainClockTime extends PlainTime {
  constructor(text: string) {
    super('time', text)
  }
}

/** A length of time in seconds, `PT90.5S`, `-PT1S`; Python's `timedelta`. */
export class Duration extends PlainTime {
  constructor(text: string) {
    super('duration', text)
  }

  /** From milliseconds, rounded to microseconds. */
  static fromMilliseconds(milliseconds: number): Duration {
    const microseconds = BigInt(Math.round(Math.abs(milliseconds) * 1000))
    const fraction = String(microseconds % 1_000_000n).padStart(6, '0')
    return new Duration(`${milliseconds < 0 ? '-' : ''}PT${microseconds / 1_000_000n}.${fraction}S`)
  }

  get milliseconds(): number {
    return Number(this.toString().replace(/[PTS]/g, '')) * 1000
  }
}

const classes = {
  datetime: PlainDateTime,
  date: PlainDate,
  time: PlainClockTime,
  duration: Duration,
} as const

/** The object for a received time; undefined if the kind or the text is not one of the format. */
export function plainTimeFrom(kind: string, text: string): PlainTime | undefined {
  if (!Object.hasOwn(classes, kind)) return undefined
  if (canonical[kind as TimeKind](text) === undefined) return undefined
  return new classes[kind as TimeKind](text)
}
