// Writes every generated file of the repository: `node tools/codegen/main.ts`; with --check it only compares and fails if one is stale.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { readErrorTable } from './error-table.ts'
import { cppErrors } from './errors-cpp.ts'
import { markdownErrors } from './errors-markdown.ts'
import { pythonErrors } from './errors-python.ts'
import { typescriptErrors } from './errors-typescript.ts'

const root = join(import.meta.dirname, '../..')

function generatedFiles(): Map<string, string> {
  const errors = readErrorTable(root)
  return new Map([
    ['workers/typescript/src/errors/generated.ts', typescriptErrors(errors)],
    ['workers/python/src/thornback/_errors_generated.py', pythonErrors(errors)],
    ['core-native/src/base/error_codes_generated.h', cppErrors(errors)],
    [
      'proto/errors.md',
      markdownErrors(errors, readFileSync(join(root, 'proto/errors.md'), 'utf8')),
    ],
  ])
}

/** The golden vectors are written by Python on purpose: a second, independent implementation of the format. */
function goldenVectorsAreFresh(check: boolean): boolean {
  const script = join(root, 'tools/codegen/golden.py')
  const arguments_ = check ? [script, '--check'] : [script]
  const result = spawnSync('python3', ['-B', ...arguments_], { stdio: 'inherit' })
  if (result.error !== undefined) throw result.error
  return result.status === 0
}

function main(): number {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  const stale: string[] = []
  for (const [path, text] of generatedFiles()) {
    const file = join(root, path)
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    stale.push(path)
    if (!values.check) writeFileSync(file, text)
  }
  if (values.check && stale.length > 0) {
    process.stderr.write(`stale: ${stale.join(', ')}; run: node tools/codegen/main.ts\n`)
  }
  const fresh = goldenVectorsAreFresh(values.check)
  return fresh && !(values.check && stale.length > 0) ? 0 : 1
}

process.exitCode = main()
