// Entry of every npm script: node tools/setup/run.mjs <job> [argument...]
// Plain JavaScript for Node 20 without a dependency, because it runs before anything is installed.
import { report, SetupError } from './console.mjs'
import { jobs } from './jobs.mjs'

const [name, ...args] = process.argv.slice(2)

try {
  const job = jobs[name]
  if (!job) {
    throw new SetupError(`there is no job ${name ?? '(none given)'}`, [
      `Jobs: ${Object.keys(jobs).join(', ')}`,
    ])
  }
  if (process.platform !== 'linux')
    throw new SetupError('Thornback runs on Linux (x86-64 and arm64) only')
  process.exitCode = await job(args)
} catch (error) {
  report(error)
  process.exitCode = 1
}
