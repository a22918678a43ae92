import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.ts'

const folder = join(root, '.venv-ray')
const packages = [
  'ray==2.58.0',
  'numpy==2.4.6; python_version >= "3.11"',
  'numpy==2.2.6; python_version < "3.11"',
]

/** Makes the virtual environment with Ray in it, if it is not there; returns its Python. */
export function ensureRay(basePython: string, say: (text: string) => void): string {
  const python = join(folder, 'bin', 'python')
  const stamp = join(folder, 'benchmarks.stamp')
  const content = packages.join('\n')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === content) return python
  say('installing Ray into .venv-ray (once)')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  run(basePython, ['-m', 'venv', folder])
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages])
  writeFileSync(stamp, content)
  return python
}

function run(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  if (result.status === 0) return
  const words = result.stderr || result.error?.message || ''
  throw new Error(`${command} ${args.join(' ')} failed:\n${words.trim()}`)
}
