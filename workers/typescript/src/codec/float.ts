import { encodeAs, type ValueWriter } from './encode-as.ts'

/** A whole number that has to reach the other language as a float: `float(1)` is Python's `1.0`. Never received. */
export class Float {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }

  valueOf(): number {
    return this.value
  }

  [encodeAs](writer: ValueWriter): void {
    writer.float(this.value)
  }
}

export function float(value: number): Float {
  return new Float(value)
}
