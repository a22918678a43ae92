/** Cuts a byte stream into lines of text. A line that grows beyond the limit is cut there. */
export class LineSplitter {
  readonly #lineBytesMax: number
  #rest: Buffer = Buffer.alloc(0)

  constructor(lineBytesMax = 1 << 20) {
    this.#lineBytesMax = lineBytesMax
  }

  get hasRest(): boolean {
    return this.#rest.length > 0
  }

  /** The lines that are complete now, without their ends. */
  push(chunk: Buffer): string[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const lines: string[] = []
    let end = bytes.indexOf(10)
    let start = 0
    while (end >= 0) {
      lines.push(textOf(bytes.subarray(start, end)))
      start = end + 1
      end = bytes.indexOf(10, start)
    }
    bytes = bytes.subarray(start)
    while (bytes.length > this.#lineBytesMax) {
      lines.push(textOf(bytes.subarray(0, this.#lineBytesMax)))
      bytes = bytes.subarray(this.#lineBytesMax)
    }
    this.#rest = bytes
    return lines
  }

  /** What stands behind the last line end, when the stream is over. */
  finish(): string[] {
    const rest = this.#rest
    this.#rest = Buffer.alloc(0)
    return rest.length === 0 ? [] : [textOf(rest)]
  }
}

function textOf(bytes: Buffer): string {
  const end = bytes.length > 0 && bytes[bytes.length - 1] === 13 ? bytes.length - 1 : bytes.length
  return bytes.toString('utf8', 0, end)
}
