// Programs as a user runs them: a process of its own, its output, and whatever it leaves behind.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..', '..')
const marker = 'THORNBACK_E2E_RUN'

export interface Outcome {
  /** Exit code, or the name of the signal that ended it. */
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
  /** Command lines of processes that outlived the program. */
  readonly left: readonly string[]
  /** Files that it left where sessions keep theirs. */
  readonly files: readonly string[]
}

export interface RunOptions {
  readonly cwd: string
  /** After this time everything that the program started is killed, and `run` fails. */
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a command to its end. */
export async function run(command: readonly string[], options: RunOptions): Promise<Outcome> {
  const { cwd, timeoutMs = 50_000, env } = options
  const mark = randomUUID()
  const runtime = mkdtempSync(join(tmpdir(), 'e2e-'))
  const [program, ...args] = command
  const child = spawn(program!, args, {
    cwd,
    env: { ...plainEnvironment(), XDG_RUNTIME_DIR: runtime, [marker]: mark, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  let isLate = false
  const watchdog = setTimeout(() => {
    isLate = true
    for (const { pid } of marked(mark)) kill(pid)
  }, timeoutMs)
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code ?? -1))
  }).finally(() => clearTimeout(watchdog))
  const left = marked(mark).map(({ command }) => command)
  for (const { pid } of marked(mark)) kill(pid)
  // The folder of a user stays; that of a session goes with it.
  const files = readdirSync(runtime).flatMap((user) => readdirSync(join(runtime, user)))
  rmSync(runtime, { recursive: true, force: true })
  if (isLate) {
    const text = `${command.join(' ')} was killed after ${timeoutMs / 1000} s`
    throw new Error(`${text}; it wrote:\n${stdout}\n${stderr}`)
  }
  return { status, stdout, stderr, left, files }
}

/** Without what changes the output: colours, and Node's warning about contradictory settings of them. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _, ...others } = process.env
  return { ...others, FORCE_COLOR: '0' }
}

interface Process {
  readonly pid: number
  readonly command: string
}

/** Processes that have the mark in their environment. Those that ended but were not waited for have none. */
function marked(mark: string): Process[] {
  const found: Process[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || !existsSync(`/proc/${name}/environ`)) continue
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(`${marker}=${mark}`)) continue
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      found.push({ pid: Number(name), command })
    } catch {
      // It has ended, or belongs to somebody else.
    }
  }
  return found
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
