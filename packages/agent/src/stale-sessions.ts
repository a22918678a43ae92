import { readdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { pidNamespace, processesWithEnvironment, startTicks } from './proc.ts'
import { describe, processOfSession, removeSessionFolder } from './session-folder.ts'

/** A container that shares the folder may be just starting a session; its process ids mean nothing here. */
const foreignAgeMinMs = 10_000

/** Removes what sessions left behind whose agent was killed: their folders, and processes if any survive. */
export async function sweepStaleSessions(root: string, nowMs = Date.now()): Promise<string[]> {
  const swept: string[] = []
  for (const name of listFolders(root)) {
    if (!isStale(root, name, nowMs)) continue
    const folder = describe(root, name)
    if (await answers(folder.logSocket)) continue
    killSurvivors(folder.path)
    removeSessionFolder(folder.path)
    swept.push(name)
  }
  return swept
}

/** The environment entry that every process of a session carries, its children's children included. */
export function membershipOf(folder: string): string {
  return `THORNBACK_FOLDER=${folder}`
}

/** Ends every process of a session that is still there, however it got away from its parents. */
export function killSurvivors(folder: string): number {
  let killed = 0
  for (const pid of processesWithEnvironment(membershipOf(folder))) {
    try {
      process.kill(pid, 'SIGKILL')
      killed += 1
    } catch {
      // It ended by itself, or belongs to somebody else.
    }
  }
  return killed
}

function isStale(root: string, name: string, nowMs: number): boolean {
  const owner = processOfSession(name)
  if (!owner) return false
  if (owner.namespace === pidNamespace()) return startTicks(owner.pid) !== owner.ticks
  try {
    return nowMs - statSync(describe(root, name).path).mtimeMs >= foreignAgeMinMs
  } catch {
    return false
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', () => resolve(false))
  })
}

function listFolders(root: string): string[] {
  try {
    return readdirSync(root)
  } catch {
    return []
  }
}
