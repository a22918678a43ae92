// What has been done already: a stamp is a small file in .cache/setup that holds the hash of what a step depended on.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openSync, closeSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { SetupError, say } from './console.mjs'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folder = join(root, '.cache', 'setup')

export function hash(...parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(String(part)).update('\0')
  return sum.digest('hex').slice(0, 32)
}

export function contentOf(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const ignored = new Set([
  'node_modules',
  '.venv',
  '.venv-ray',
  '.cache',
  '.nx',
  '.git',
  'build',
  '__pycache__',
  'results',
])

/** Hash of names, sizes and modification times below the given paths: cheap, and changes whenever content may have. */
export function treeState(paths, { skip = ignored } = {}) {
  const lines = []
  const visit = (path) => {
    const info = statSync(path, { throwIfNoEntry: false })
    if (!info) return lines.push(`${path} absent`)
    if (!info.isDirectory()) return lines.push(`${path} ${info.size} ${info.mtimeMs}`)
    for (const name of readdirSync(path).sort()) if (!skip.has(name)) visit(join(path, name))
  }
  for (const path of paths) visit(join(root, path))
  return hash(...lines)
}

export function isFresh(name, value) {
  return contentOf(join(folder, `${name}.stamp`)) === value
}

export function writeStamp(name, value) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.stamp`), value)
}

export function dropStamp(name) {
  rmSync(join(folder, `${name}.stamp`), { force: true })
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Holds the lock file `name` while `work` runs, so that two commands started side by side do not set up at once. */
export async function withLock(name, work, { waitMs = 20 * 60_000 } = {}) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.lock`)
  const deadline = Date.now() + waitMs
  let announced = false
  for (;;) {
    try {
      const file = openSync(path, 'wx')
      writeFileSync(file, String(process.pid))
      closeSync(file)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = Number(contentOf(path))
    // A holder that was killed leaves its file. An empty file belongs to one that is between open and write.
    if (holder > 0 && !isAlive(holder)) {
      rmSync(path, { force: true })
      continue
    }
    if (Date.now() > deadline) {
      throw new SetupError(
        `waited ${waitMs / 60_000} minutes for process ${holder}, which holds ${path}`,
      )
    }
    if (!announced) say(`waiting for process ${holder || '?'}, which holds ${path}`)
    announced = true
    await delay(200)
  }
  const release = () => rmSync(path, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}
