// Progress lines and errors of the set-up. Everything goes to standard error: standard output belongs to the job.

/** A failure the reader can act on; printed without a stack. */
export class SetupError extends Error {
  /** @param {string} message @param {string[]} hints lines that say what to do */
  constructor(message, hints = []) {
    super(message)
    this.hints = hints
  }
}

export function say(text) {
  process.stderr.write(`setup: ${text}\n`)
}

export function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

/** Runs `work` between a line that says what begins and one that says how long it took. */
export async function step(title, work) {
  const start = performance.now()
  say(`${title} ...`)
  const result = await work()
  say(`${title} done in ${seconds(start)}`)
  return result
}

export function report(error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`\nsetup failed: ${error.message}\n`)
  for (const hint of error.hints) process.stderr.write(`  ${hint}\n`)
}
