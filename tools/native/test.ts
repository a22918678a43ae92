// Builds and runs native test executables: node tools/native/test.ts [--preset asan] NAME... [-- GoogleTest options]
//   npm run native -- shm_test -- --gtest_filter='Ring.*'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { asPreset, build, buildFolder, coreNative } from './cmake.ts'

const separator = process.argv.indexOf('--', 2)
const own = process.argv.slice(2, separator < 0 ? undefined : separator)
const forwarded = separator < 0 ? [] : process.argv.slice(separator + 1)
const { values, positionals } = parseArgs({
  args: own,
  allowPositionals: true,
  options: { preset: { type: 'string', default: 'release' } },
})
const preset = asPreset(values.preset)

for (const name of positionals) {
  if (!build(preset, name)) process.exit(1)
  const launcher = preset === 'tsan' ? ['setarch', '-R'] : []
  const command = [...launcher, `${buildFolder(preset)}/bin/${name}`, ...forwarded]
  const result = spawnSync('env', command, { cwd: coreNative, stdio: 'inherit' })
  if (result.status !== 0) process.exit(result.status ?? 1)
}
