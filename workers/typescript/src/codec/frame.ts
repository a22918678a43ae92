// The frame around a value that has out-of-band buffers (proto/value-format.md).

import { ProtocolError } from '../errors/generated.ts'
import {
  alignUp,
  bufferAlignment,
  frameEntryBytes,
  frameHeaderBytes,
  frameMagic,
} from './format.ts'

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Size of the blob that `writeFrame` writes. */
export function framedSize(headBytes: number, buffers: readonly Uint8Array[]): number {
  let offset = frameHeaderBytes + frameEntryBytes * buffers.length + headBytes
  for (const buffer of buffers) offset = alignUp(offset) + buffer.length
  return offset
}

/** Writes the blob to the start of `target`, padding included: the memory may hold anything before. */
export function writeFrame(
  target: Uint8Array,
  head: Uint8Array,
  buffers: readonly Uint8Array[],
): void {
  const view = viewOf(target)
  view.setUint32(0, frameMagic)
  view.setUint32(4, buffers.length, true)
  view.setUint32(8, head.length, true)
  view.setUint32(12, 0, true)
  const headStart = frameHeaderBytes + frameEntryBytes * buffers.length
  target.set(head, headStart)
  let end = headStart + head.length
  for (const [index, buffer] of buffers.entries()) {
    const offset = alignUp(end)
    target.fill(0, end, offset)
    const entry = frameHeaderBytes + frameEntryBytes * index
    view.setBigUint64(entry, BigInt(offset), true)
    view.setBigUint64(entry + 8, BigInt(buffer.length), true)
    target.set(buffer, offset)
    end = offset + buffer.length
  }
}

export interface Frame {
  readonly headStart: number
  readonly headEnd: number
  /** Start and size of each buffer in turn, counted from the start of the array that holds the blob. */
  readonly buffers: readonly number[]
}

/** Reads the frame of the blob `bytes[start, end)`, whose first byte is C1. Each buffer lies inside it, behind the head. */
export function readFrame(bytes: Uint8Array, start: number, end: number): Frame {
  const size = end - start
  const fail = (reason: string): never => {
    throw new ProtocolError(`malformed value: ${reason}`)
  }
  if (size < frameHeaderBytes) fail('its frame is cut off')
  const view = viewOf(bytes)
  if (view.getUint32(start) !== frameMagic) fail('it is of another format version')
  const count = view.getUint32(start + 4, true)
  const headBytes = view.getUint32(start + 8, true)
  const headStart = frameHeaderBytes + frameEntryBytes * count
  if (count === 0) fail('its frame has no buffers')
  if (view.getUint32(start + 12, true) !== 0) fail('a reserved word of its frame is set')
  if (headStart + headBytes > size) fail('its head is cut off')
  const buffers: number[] = []
  for (let index = 0; index < count; index++) {
    const entry = start + frameHeaderBytes + frameEntryBytes * index
    // Beyond 2^53 the numbers are rounded, but they stay far beyond any size.
    const offset = Number(view.getBigUint64(entry, true))
    const length = Number(view.getBigUint64(entry + 8, true))
    if (offset % bufferAlignment !== 0) fail(`buffer ${index} is not aligned`)
    if (offset < headStart + headBytes || offset + length > size) {
      fail(`buffer ${index} is outside of the value`)
    }
    buffers.push(start + offset, length)
  }
  return { headStart: start + headStart, headEnd: start + headStart + headBytes, buffers }
}
