// node tools/native/build.ts --preset release|debug|asan|tsan [--target product|all|...]
import { parseArgs } from 'node:util'
import { asPreset, build } from './cmake.ts'

const { values } = parseArgs({
  options: { preset: { type: 'string' }, target: { type: 'string', default: 'all' } },
})
process.exitCode = build(asPreset(values.preset), values.target) ? 0 : 1
