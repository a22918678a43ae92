import type { HeadWriter } from './head-writer.ts'

/** Room for the header of an extension whose body has at most 255 bytes and not one of the five fixed sizes. */
const headerGuess = 3

/** Where to write the body of an extension whose size is not known yet; `at` is where the extension begins. */
export function extensionBody(writer: HeadWriter, at: number): number {
  writer.reserve(at, 32)
  return at + headerGuess
}

/** Puts the header before the body that ends at `end`, moving the body if its header has another size. */
export function finishExtension(writer: HeadWriter, code: number, at: number, end: number): number {
  const size = end - at - headerGuess
  const header = headerBytes(size)
  if (header !== headerGuess) {
    writer.reserve(end, 3)
    writer.bytes.copyWithin(at + header, at + headerGuess, end)
  }
  extensionHeader(writer, code, size, at)
  return at + header + size
}

function headerBytes(size: number): number {
  if (size === 1 || size === 2 || size === 4 || size === 8 || size === 16) return 2
  return size < 0x100 ? 3 : size < 0x1_0000 ? 4 : 6
}

/** Writes the shortest header of an extension; there is room for it. */
export function extensionHeader(
  writer: HeadWriter,
  code: number,
  size: number,
  at: number,
): number {
  const { bytes } = writer
  if (headerBytes(size) === 2) {
    bytes[at] = 0xd4 + Math.log2(size)
    bytes[at + 1] = code
    return at + 2
  }
  const end =
    size < 0x100
      ? writer.head8(0xc7, size, at)
      : size < 0x1_0000
        ? writer.head16(0xc8, size, at)
        : writer.head32(0xc9, size, at)
  writer.bytes[end] = code
  return end + 1
}
