// Adds up the reports of all suites: node tools/testing/summary.ts --targets=test [--projects=a,b]
// The last line is `N passed, N failed`; the exit code is 1 when anything failed or is missing.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { add, none } from './junit.ts'
import { suiteCounts } from './results.ts'

const root = join(import.meta.dirname, '..', '..')

const { values } = parseArgs({
  options: { targets: { type: 'string' }, projects: { type: 'string' } },
  strict: false,
})
const targets = String(values.targets).split(',')
const chosen = values.projects ? String(values.projects).split(',') : undefined

interface Project {
  name: string
  targets: Record<string, unknown>
}

const patterns = [
  '*/project.json',
  'workers/*/project.json',
  'packages/*/project.json',
  'test/*/project.json',
  'examples/*/project.json',
]
const projects = globSync(patterns, { cwd: root })
  .map((path) => JSON.parse(readFileSync(join(root, path), 'utf8')) as Project)
  .filter((project) => !chosen || chosen.includes(project.name))
  .sort((a, b) => a.name.localeCompare(b.name))

let total = none
for (const project of projects) {
  for (const target of targets.filter((name) => name in project.targets)) {
    const counts = suiteCounts(join(root, 'results', project.name, target))
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    console.log(
      `${project.name}:${target}  ${counts.passed} passed, ${counts.failed} failed${skipped}`,
    )
    for (const name of counts.failures) console.log(`    failed: ${name}`)
    total = add(total, counts)
  }
}
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 ? 1 : 0
