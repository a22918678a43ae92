import type { Readable } from 'node:stream'
import { constants } from 'node:os'
import type { WorkerEnvironment } from './environment.ts'

export type HostKind = 'process' | 'threads'

/** What is to be started. */
export interface HostSpec {
  readonly token: string
  readonly language: string
  readonly kind: HostKind
  readonly threads: number
  readonly environment: WorkerEnvironment
}

/** How a process ended: exactly one of the two is not null, unless nobody could tell. */
export interface ExitStatus {
  readonly code: number | null
  readonly signal: number | null
}

/** A worker process that was started. */
export interface HostProcess {
  readonly pid: number
  /** Settles once the process has ended; its group was killed then. */
  readonly exited: Promise<ExitStatus>
  /** Sends a signal to the process and its group. */
  signal(signal: NodeJS.Signals): void
}

/** Starts workers of one language and environment. */
export interface HostStarter {
  /** Rejects with WorkerStartError if the process cannot be created. */
  start(spec: HostSpec, output: OutputSink): Promise<HostProcess>
  /** Stops what was started beside the workers, such as a fork server; settles when it is gone. */
  close(): void | Promise<void>
}

export type OutputStream = 'stdout' | 'stderr'

/** Takes what a worker prints. */
export interface OutputSink {
  connect(token: string, name: OutputStream, source: Readable): void
}

export function describeExit(status: ExitStatus): string {
  if (status.signal !== null) {
    const name = Object.entries(constants.signals).find(([, n]) => n === status.signal)?.[0]
    return `was killed by ${name ?? `signal ${status.signal}`}`
  }
  return status.code === null ? 'ended' : `exited with status ${status.code}`
}
