// The result of one suite from the reports it left, with everything that is missing counted as a failure.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Counts, add, count, none, testCases } from './junit.ts'

function failure(name: string): Counts {
  return { ...none, failed: 1, failures: [name] }
}

/** ctest knows which executables ran and how they ended; GoogleTest's own report says which tests were in them. */
function nativeCounts(folder: string): Counts {
  let total: Counts = none
  for (const executable of testCases(readFileSync(join(folder, 'ctest.xml'), 'utf8'))) {
    const name = executable.name.split(' ').at(-1) ?? executable.name
    const report = join(folder, 'gtest', `${name}.xml`)
    if (!existsSync(report)) {
      total = add(total, count([executable]))
      continue
    }
    const inside = count(testCases(readFileSync(report, 'utf8')))
    total = add(total, inside)
    if (executable.outcome === 'failed' && inside.failed === 0) {
      total = add(total, failure(`${name} ended badly after its last test`))
    }
  }
  return total
}

/** Counts of the suite whose reports are in `folder`; a suite without any test fails. */
export function suiteCounts(folder: string): Counts {
  if (!existsSync(join(folder, 'exit.json'))) return failure('did not run to its end')
  const exit = JSON.parse(readFileSync(join(folder, 'exit.json'), 'utf8')) as { code: number }
  let total: Counts = none
  if (existsSync(join(folder, 'ctest.xml'))) total = add(total, nativeCounts(folder))
  for (const report of globSync('{vitest,pytest}.xml', { cwd: folder })) {
    total = add(total, count(testCases(readFileSync(join(folder, report), 'utf8'))))
  }
  if (exit.code !== 0 && total.failed === 0)
    return add(total, failure(`ended with exit code ${exit.code}`))
  if (total.passed + total.failed === 0) return failure('has no tests')
  return total
}
