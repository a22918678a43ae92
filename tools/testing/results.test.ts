import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testCases } from './junit.ts'
import { suiteCounts } from './results.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thornback-results-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const ended = (code: number): void => put('exit.json', JSON.stringify({ code }))
const passing = '<testcase name="a" classname="A"/>'
const failing =
  '<testcase name="b &gt; c" classname="A"><failure message="x">no</failure></testcase>'

test('outcomes are told apart, and captured output is not taken for tags', () => {
  const output = '<testcase name="c"><system-out><![CDATA[<failure>]]></system-out></testcase>'
  const skipped = '<testcase name="d" status="notrun" /><testcase name="e"><skipped/></testcase>'
  const outcomes = testCases(`<testsuite>${passing}${failing}${output}${skipped}</testsuite>`)
  expect(outcomes.map((one) => one.outcome)).toEqual([
    'passed',
    'failed',
    'passed',
    'skipped',
    'skipped',
  ])
  expect(outcomes[1]?.name).toBe('A b > c')
})

test('reports of several runners are added up', () => {
  put('vitest.xml', passing + failing)
  put('pytest.xml', passing + passing)
  ended(1)
  expect(suiteCounts(folder)).toEqual({ passed: 3, failed: 1, skipped: 0, failures: ['A b > c'] })
})

test('a native executable that dies counts as a failure, with or without a report', () => {
  put(
    'ctest.xml',
    '<testcase name="x_test" classname="x_test" status="fail"><failure/></testcase><testcase name="y_test" classname="y_test" status="fail"><failure/></testcase>',
  )
  put('gtest/x_test.xml', passing)
  ended(8)
  expect(suiteCounts(folder)).toMatchObject({ passed: 1, failed: 2 })
})

test('what is missing is a failure', () => {
  expect(suiteCounts(folder)).toMatchObject({ failed: 1, failures: ['did not run to its end'] })
  ended(0)
  expect(suiteCounts(folder)).toMatchObject({ failed: 1, failures: ['has no tests'] })
  put('vitest.xml', passing)
  ended(3)
  expect(suiteCounts(folder)).toMatchObject({
    passed: 1,
    failed: 1,
    failures: ['ended with exit code 3'],
  })
})
