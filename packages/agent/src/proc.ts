import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * When a process started, in clock ticks since boot; null if it is not there or has ended (a zombie counts as ended).
 * Together with the process id it names one process for as long as the machine runs.
 */
export function startTicks(pid: number): number | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The name of the program is in parentheses and may contain anything; fields are counted after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  if (state === 'Z' || state === 'X') return null
  const ticks = Number(fields[19])
  return Number.isFinite(ticks) ? ticks : null
}

/** The number of this process's namespace of process ids; 0 where the kernel does not tell. */
export function pidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0)
  } catch {
    return 0
  }
}

/** Processes that were started with this environment entry (`NAME=value`); those of other users are not visible. */
export function processesWithEnvironment(entry: string): number[] {
  const wanted = Buffer.from(`${entry}\0`)
  const found: number[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isSafeInteger(pid) || pid === process.pid) continue
    if (environmentHas(pid, wanted)) found.push(pid)
  }
  return found
}

function environmentHas(pid: number, entry: Buffer): boolean {
  let environment: Buffer
  try {
    environment = readFileSync(`/proc/${pid}/environ`)
  } catch {
    return false
  }
  const at = environment.indexOf(entry)
  return at === 0 || (at > 0 && environment[at - 1] === 0)
}

/** Sends a signal to a process and to the group that it leads; false if neither exists any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  const group = trySignal(-pid, signal)
  // A process that was forked a moment ago does not lead its group yet.
  return trySignal(pid, signal) || group
}

function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}
