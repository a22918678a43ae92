// Prettier, ESLint and the type checker over one folder, all three even when the first complains.
//   node tools/lint-typescript.ts --folder DIR [EXTRA_PATH...]
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: 'string' } },
})
const folder = values.folder
if (!folder) throw new Error('--folder is needed')

function run(command: string, args: string[]): void {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) process.exitCode = 1
}

run('prettier', ['--check', '--log-level', 'warn', folder, ...positionals])
const sources = globSync('**/*.{ts,mts,mjs,js}', {
  cwd: join(root, folder),
  exclude: (name) => name === 'node_modules',
})
if (sources.length > 0) run('eslint', ['--max-warnings', '0', folder])
if (sources.some((path) => path.endsWith('ts'))) run('tsc', ['-p', folder])
