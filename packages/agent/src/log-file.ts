import { appendFile, rename } from 'node:fs/promises'

/**
 * The file of one worker's output. It never exceeds the limit: then it becomes `<name>.1`, in place of the former one, and a
 * new one begins. It is opened for each piece, so that many workers need no descriptors.
 */
export class LogFile {
  readonly path: string
  readonly #bytesMax: number
  #bytes = 0
  #chain: Promise<void> = Promise.resolve()
  #pending = 0

  constructor(path: string, bytesMax = 8 << 20) {
    this.path = path
    this.#bytesMax = bytesMax
  }

  /** Bytes that are not written yet. */
  get pendingBytes(): number {
    return this.#pending
  }

  write(text: string): Promise<void> {
    this.#pending += text.length
    this.#chain = this.#chain
      .then(() => this.#append(text))
      .catch(() => {
        // A full disk or a folder that somebody removed costs the file, not the session.
      })
    return this.#chain
  }

  async #append(text: string): Promise<void> {
    this.#pending -= text.length
    if (this.#bytes > 0 && this.#bytes + text.length > this.#bytesMax) {
      await rename(this.path, `${this.path}.1`)
      this.#bytes = 0
    }
    this.#bytes += text.length
    await appendFile(this.path, text, { mode: 0o600 })
  }
}
