import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeError } from './errors.ts'
import { pidNamespace, startTicks } from './proc.ts'

/** Where everything of one session lies that has a name: sockets and logs. Private to the user. */
export interface SessionFolder {
  readonly session: string
  readonly path: string
  readonly socket: string
  readonly logSocket: string
  readonly logs: string
}

/** The folder of all sessions of this user; XDG_RUNTIME_DIR may name one that was never made. */
export function sessionsRoot(): string {
  const runtime = process.env['XDG_RUNTIME_DIR']
  const base = runtime && existsSync(runtime) ? runtime : tmpdir()
  return join(base, `thornback-${process.getuid?.() ?? 0}`)
}

/**
 * Makes the folder of this process's session. Its name is the process id, its start time and the namespace in which the
 * id counts, so whoever finds it later can tell whether the session still runs, and the name appears together with the
 * folder, in one step.
 */
export function createSessionFolder(root = sessionsRoot()): SessionFolder {
  createRoot(root)
  const session = sessionName(process.pid, startTicks(process.pid) ?? 0, pidNamespace())
  const folder = describe(root, session)
  const longest = 107 // what a unix socket's address holds
  if (folder.logSocket.length > longest) {
    const fix = 'set XDG_RUNTIME_DIR or TMPDIR to a shorter path'
    const need = `${folder.logSocket.length} characters`
    const fields = { what: `a socket in ${folder.path}`, need, has: `${longest} characters`, fix }
    throw makeError('RESOURCE_LIMIT', fields)
  }
  attempt('mkdir', () => mkdirSync(folder.path, { mode: 0o700 }))
  mkdirSync(folder.logs, { mode: 0o700 })
  return folder
}

export function removeSessionFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 2 })
}

export function sessionName(pid: number, ticks: number, namespace: number): string {
  return `${pid}-${ticks.toString(36)}-${namespace.toString(36)}`
}

export interface SessionProcess {
  readonly pid: number
  readonly ticks: number
  readonly namespace: number
}

/** The process that a session's name tells of; null if the name is none of ours. */
export function processOfSession(name: string): SessionProcess | null {
  const match = /^([1-9]\d{0,9})-([0-9a-z]{1,12})-([0-9a-z]{1,12})$/.exec(name)
  if (!match) return null
  const [, pid, ticks, namespace] = match
  return {
    pid: Number(pid),
    ticks: parseInt(ticks!, 36),
    namespace: parseInt(namespace!, 36),
  }
}

export function describe(root: string, session: string): SessionFolder {
  const path = join(root, session)
  return {
    session,
    path,
    socket: join(path, 'hub.sock'),
    logSocket: join(path, 'logs.sock'),
    logs: join(path, 'logs'),
  }
}

function createRoot(root: string): void {
  attempt('mkdir', () => {
    try {
      mkdirSync(root, { mode: 0o700 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  })
  const found = lstatSync(root)
  const owner = process.getuid?.() ?? found.uid
  // In a folder that everybody can write to, somebody else may have made it first.
  if (!found.isDirectory() || found.uid !== owner) {
    const reason = `${root} is not a folder of user ${owner}; remove it or set XDG_RUNTIME_DIR`
    throw makeError('SYSTEM_ERROR', { call: 'mkdir', reason })
  }
  if ((found.mode & 0o077) !== 0) chmodSync(root, 0o700)
}

function attempt(call: string, action: () => unknown): void {
  try {
    action()
  } catch (error) {
    const reason = `${(error as Error).message}; set XDG_RUNTIME_DIR or TMPDIR to a writable folder`
    throw makeError('SYSTEM_ERROR', { call, reason }, { cause: error })
  }
}
