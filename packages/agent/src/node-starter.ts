import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { processEnvironment } from './environment.ts'
import { makeError } from './errors.ts'
import type { ExitStatus, HostProcess, HostSpec, HostStarter, OutputSink } from './host.ts'
import { signalGroup } from './proc.ts'
import type { SessionFolder } from './session-folder.ts'

const defaultMain = fileURLToPath(
  new URL('../../../workers/typescript/src/worker/main.ts', import.meta.url),
)

/** Starts TypeScript workers: a Node process each. */
export class NodeStarter implements HostStarter {
  readonly #folder: SessionFolder
  readonly #main: string

  constructor(folder: SessionFolder, main = defaultMain) {
    this.#folder = folder
    this.#main = main
  }

  async start(spec: HostSpec, output: OutputSink): Promise<HostProcess> {
    const env = {
      ...processEnvironment(spec.environment, this.#folder),
      THORNBACK_TOKEN: spec.token,
      THORNBACK_KIND: spec.kind,
      ...(spec.kind === 'threads' ? { THORNBACK_THREADS: String(spec.threads) } : {}),
    }
    const child = spawn(process.execPath, [this.#main], {
      cwd: spec.environment.cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const exited = exitOf(child)
    const pid = await started(child, 'typescript')
    output.connect(spec.token, 'stdout', child.stdout)
    output.connect(spec.token, 'stderr', child.stderr)
    return { pid, exited, signal: (signal) => signalGroup(pid, signal) }
  }

  close(): void {}
}

/** Waits until the system has created the process; a missing program or folder is an error. */
export function started(child: ChildProcess, language: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid!))
    child.once('error', (error) => {
      reject(
        makeError('WORKER_START_FAILED', { language, reason: error.message }, { cause: error }),
      )
    })
  })
}

/** Settles when the process has ended, after the rest of its group was killed. */
export function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
      resolve({ code, signal: signal === null ? null : constants.signals[signal] })
    })
  })
}
