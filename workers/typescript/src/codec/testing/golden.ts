// Reads the golden vectors. Used by tests only.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { DecodeContext } from '../decode-context.ts'
import { type ActorHandleFields, encodeAs, type ValueWriter } from '../encode-as.ts'
import type { Tagged } from './tagged.ts'

export interface GoldenRules {
  readonly as?: Tagged
  readonly echo?: string
  readonly write?: 'no' | 'any-order'
  readonly read?: 'refused'
}

export interface GoldenCase {
  readonly name: string
  readonly value: Tagged
  readonly hex: string
  readonly refs?: number
  readonly typescript?: GoldenRules
}

const folder = join(import.meta.dirname, '../../../../../test/conformance/golden/v1')

export function readGolden(file: string): GoldenCase[] {
  const { cases } = JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')) as {
    cases: GoldenCase[]
  }
  return cases
}

/** `61*300` repeats a token. */
export function expandHex(text: string): Uint8Array {
  const parts = text.split(' ').map((token) => {
    const [digits = '', count = '1'] = token.split('*')
    return digits.repeat(Number(count))
  })
  return new Uint8Array(Buffer.from(parts.join(''), 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export class GoldenRef {
  readonly index: number

  constructor(index: number) {
    this.index = index
  }

  [encodeAs](writer: ValueWriter): void {
    writer.ref(this)
  }
}

export class GoldenActor {
  readonly handle: ActorHandleFields

  constructor(handle: ActorHandleFields) {
    this.handle = handle
  }

  [encodeAs](writer: ValueWriter): void {
    writer.actor(this.handle)
  }
}

export function goldenContext(refCount: number, zeroCopy: boolean): DecodeContext {
  return {
    refCount,
    zeroCopy,
    ref: (index) => new GoldenRef(index),
    actor: (handle) => new GoldenActor(handle),
  }
}
