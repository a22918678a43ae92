// Child processes of the set-up.
import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { SetupError } from './console.mjs'

/** Standard output of a quick command, trimmed, or undefined when it is missing or fails. */
export function ask(command, args = [], options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000, ...options })
  return result.status === 0 ? result.stdout.trim() : undefined
}

/**
 * Runs a command whose output matters only when it fails, and throws a SetupError that carries its last lines.
 * `advice` says what to try.
 */
export function quietly(command, args, { advice = [], ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output)
      const shown = output.trimEnd().split('\n').slice(-60)
      const line = [command, ...args].join(' ')
      reject(
        new SetupError(`\`${line}\` ended with ${signal ?? `exit code ${code}`}`, [
          ...shown,
          ...advice,
        ]),
      )
    })
  })
}

/** Runs a job's own program in the foreground, passes signals on, and resolves to its exit code. */
export function foreground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options })
    // The terminal sends Ctrl-C to the whole foreground group; this process stays to report the child's end.
    const ignore = () => {}
    const forward = () => child.kill('SIGTERM')
    process.on('SIGINT', ignore)
    process.on('SIGTERM', forward)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', ignore)
      process.off('SIGTERM', forward)
      resolve(signal ? 128 + constants.signals[signal] : code)
    })
  })
}
