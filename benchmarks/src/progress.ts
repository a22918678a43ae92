/** One line on standard error that says what runs now; on a terminal it is rewritten, elsewhere one line per case. */
export class Progress {
  readonly #total: number
  readonly #isTerminal = process.stderr.isTTY === true
  readonly #startMs = performance.now()
  #done = 0
  #case = ''

  constructor(total: number) {
    this.#total = total
  }

  begin(name: string): void {
    this.#case = name
    if (!this.#isTerminal) console.error(`${this.#head()} ${name}`)
  }

  step(round: number, rounds: number, subject: string): void {
    if (!this.#isTerminal) return
    const columns = process.stderr.columns || 80
    const text = `${this.#head()} ${this.#case} ${subject}, round ${round} of ${rounds}`
    process.stderr.write(`\r\x1b[2K${text.slice(0, columns - 1)}`)
  }

  end(): void {
    this.#done++
    if (this.#isTerminal) process.stderr.write('\r\x1b[2K')
  }

  say(text: string): void {
    if (this.#isTerminal) process.stderr.write('\r\x1b[2K')
    console.error(text)
  }

  #head(): string {
    const seconds = Math.round((performance.now() - this.#startMs) / 1000)
    return `[${this.#done + 1}/${this.#total}, ${seconds} s]`
  }
}
