// A framed blob (proto/value-format.md) as pieces, for memory that JavaScript cannot write to by itself.

import { alignUp, frameEntryBytes, frameHeaderBytes, frameMagic } from '../codec/format.ts'

export interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

const padding = new Uint8Array(64)

/** The pieces of a blob in order, without gaps; without buffers the blob is the head. */
export function framePieces(head: Uint8Array, buffers: readonly Uint8Array[]): Piece[] {
  if (buffers.length === 0) return [{ offset: 0, bytes: head }]
  const front = new Uint8Array(frameHeaderBytes + frameEntryBytes * buffers.length + head.length)
  const pieces: Piece[] = [{ offset: 0, bytes: front }]
  const entries = new DataView(front.buffer)
  entries.setUint32(0, frameMagic)
  entries.setUint32(4, buffers.length, true)
  entries.setUint32(8, head.length, true)
  front.set(head, front.length - head.length)
  let end = front.length
  for (const [index, bytes] of buffers.entries()) {
    const offset = alignUp(end)
    if (offset > end) pieces.push({ offset: end, bytes: padding.subarray(0, offset - end) })
    const entry = frameHeaderBytes + frameEntryBytes * index
    entries.setBigUint64(entry, BigInt(offset), true)
    entries.setBigUint64(entry + 8, BigInt(bytes.length), true)
    pieces.push({ offset, bytes })
    end = offset + bytes.length
  }
  return pieces
}
