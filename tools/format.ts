// Lets each language's formatter rewrite the sources: npm run format
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const commands = [
  ['node', 'tools/native/lint.ts', '--fix'],
  ['prettier', '--write', '--log-level', 'warn', '.'],
  ['ruff', 'check', '--no-cache', '--fix', '.'],
  ['ruff', 'format', '--no-cache', '.'],
]

for (const [command, ...args] of commands) {
  const result = spawnSync(command!, args, { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) process.exitCode = 1
}
