// UTF-8 in and out. A loop beats every native function for short ASCII text, the common case; everything else goes to Node's
// own string functions, which work on any Uint8Array and are several times faster than TextEncoder and TextDecoder.

interface StringFunctions {
  utf8Write(this: Uint8Array, text: string, offset: number, length: number): number
  utf8Slice(this: Uint8Array, start: number, end: number): string
}

const native = Buffer.prototype as unknown as StringFunctions
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Longest text that is written by a loop. */
export const shortWriteMax = 20
/** Longest text that is read without the native functions. */
export const shortReadMax = 16

/** Writes `text` as UTF-8 and returns the number of bytes; there must be room for 3 bytes per UTF-16 unit. */
export function writeUtf8(bytes: Uint8Array, text: string, offset: number): number {
  return native.utf8Write.call(bytes, text, offset, bytes.length - offset)
}

const replacement = '\ufffd'

/** Throws a TypeError for bytes that are not UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  const text = native.utf8Slice.call(bytes, start, end)
  // The native function replaces what is not UTF-8 by U+FFFD, which may also be there by right: only then look twice.
  return text.includes(replacement) ? strictDecoder.decode(bytes.subarray(start, end)) : text
}

/**
 * Text of 1 to `shortReadMax` bytes if all of it is ASCII, otherwise undefined. One call with all characters makes one flat
 * string; joining pieces costs several times as much.
 */
export function readShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  const size = end - start
  if (size > 8) return readMiddleAscii(bytes, start, end)
  const a = bytes[start] as number
  const b = size > 1 ? (bytes[start + 1] as number) : 0
  const c = size > 2 ? (bytes[start + 2] as number) : 0
  const d = size > 3 ? (bytes[start + 3] as number) : 0
  if ((a | b | c | d) > 127) return undefined
  if (size === 1) return String.fromCharCode(a)
  if (size === 2) return String.fromCharCode(a, b)
  if (size === 3) return String.fromCharCode(a, b, c)
  if (size === 4) return String.fromCharCode(a, b, c, d)
  const e = bytes[start + 4] as number
  const f = size > 5 ? (bytes[start + 5] as number) : 0
  const g = size > 6 ? (bytes[start + 6] as number) : 0
  const h = size > 7 ? (bytes[start + 7] as number) : 0
  if ((e | f | g | h) > 127) return undefined
  if (size === 5) return String.fromCharCode(a, b, c, d, e)
  if (size === 6) return String.fromCharCode(a, b, c, d, e, f)
  if (size === 7) return String.fromCharCode(a, b, c, d, e, f, g)
  return String.fromCharCode(a, b, c, d, e, f, g, h)
}

function readMiddleAscii(b: Uint8Array, s: number, end: number): string | undefined {
  // Reads 16 bytes whatever the size and cuts off the rest.
  if (s + 16 > b.length) return undefined
  for (let at = s; at < end; at++) if ((b[at] as number) > 127) return undefined
  const all = String.fromCharCode(
    b[s] as number,
    b[s + 1] as number,
    b[s + 2] as number,
    b[s + 3] as number,
    b[s + 4] as number,
    b[s + 5] as number,
    b[s + 6] as number,
    b[s + 7] as number,
    b[s + 8] as number,
    b[s + 9] as number,
    b[s + 10] as number,
    b[s + 11] as number,
    b[s + 12] as number,
    b[s + 13] as number,
    b[s + 14] as number,
    b[s + 15] as number,
  )
  return all.substring(0, end - s)
}

const keyCacheSize = 1024
const keyCache = new Array<string>(keyCacheSize).fill('')

/**
 * A map key of at most `shortReadMax` bytes. The keys of maps repeat, so recent ones are kept: finding one again is cheaper
 * than making it, and the engine uses it as a property name without hashing it again. Undefined if it is not ASCII.
 */
export function readShortKey(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  if (length === 0) return ''
  const first = bytes[start] as number
  const middle = bytes[start + (length >> 1)] as number
  const last = bytes[end - 1] as number
  const slot = (first * 31 + middle * 7 + last * 131 + length) & (keyCacheSize - 1)
  const cached = keyCache[slot] as string
  if (cached.length === length) {
    let index = 0
    while (index < length && cached.charCodeAt(index) === bytes[start + index]) index++
    if (index === length) return cached
  }
  const text = readShortAscii(bytes, start, end)
  if (text !== undefined) keyCache[slot] = text
  return text
}
