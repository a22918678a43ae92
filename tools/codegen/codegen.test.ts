import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { type ErrorRow, readErrorTable, wrapText } from './error-table.ts'
import { cppErrors } from './errors-cpp.ts'
import { markdownErrors } from './errors-markdown.ts'
import { pythonErrors } from './errors-python.ts'
import { typescriptErrors } from './errors-typescript.ts'

const root = join(import.meta.dirname, '../..')
const header = 'core-native/include/thornback.h'
const row: ErrorRow = {
  code: 'A_B',
  number: 7,
  class: 'AbError',
  pythonBase: 'OSError',
  status: 'TBK_IO',
  fault: 'peer',
  retryable: true,
  message: "it's {what}",
  meaning: 'Words. '.repeat(40).trim(),
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'codegen-'))
  mkdirSync(join(folder, 'proto'))
  cpSync(join(root, header), join(folder, header))
})
afterEach(() => rmSync(folder, { recursive: true }))

function tableOf(...errors: object[]): ReturnType<typeof readErrorTable> {
  const faults = { user: '', environment: '', peer: 'gone', engine: '' }
  writeFileSync(join(folder, 'proto/errors.json'), JSON.stringify({ faults, errors }))
  return readErrorTable(folder)
}

describe('the generators', () => {
  test('write each field of a row', () => {
    const table = tableOf(row)
    expect(table.codeOfStatus).toEqual([[13, 'A_B']])
    const typescript = typescriptErrors(table)
    expect(typescript).toContain('export class AbError extends ThornbackError')
    expect(typescript).toContain(`message: "it's {what}"`)
    expect(typescript).toContain("13: 'A_B'")
    const python = pythonErrors(table)
    expect(python).toContain('class AbError(ThornbackError, OSError):')
    expect(python).toContain('retryable = True')
    expect(cppErrors(table)).toContain('{ErrorCode::kAB, ErrorFault::kPeer, true, "A_B", "AbError"')
    for (const text of [typescript, python]) {
      expect(text.split('\n').filter((line) => line.length > 100)).toEqual([])
    }
  })

  test('replace the table of the document and nothing else', () => {
    const document = readFileSync(join(root, 'proto/errors.md'), 'utf8')
    expect(markdownErrors(readErrorTable(root), document)).toBe(document)
    expect(markdownErrors(tableOf(row), document)).toContain('| `A_B` | 7 | `AbError` (Python')
    expect(() => markdownErrors(tableOf(row), 'no marks')).toThrow('lacks the marks')
  })
})

describe('a wrong table is refused', () => {
  test.each<[string, object[], RegExp]>([
    ['a code twice', [row, { ...row, number: 8, class: 'X' }], /code A_B/],
    ['a number twice', [row, { ...row, code: 'X', class: 'X' }], /number 7/],
    ['a number of more than 16 bits', [{ ...row, number: 65_536 }], /A_B: number/],
    ['an unknown fault', [{ ...row, fault: 'nobody' }], /fault nobody/],
    ['an unknown status', [{ ...row, status: 'TBK_NEW' }], /no status TBK_NEW/],
    ['a parent that comes later', [{ ...row, extends: 'Later' }], /extends Later/],
  ])('%s', (_, errors, reason) => {
    expect(() => tableOf(...errors)).toThrow(reason)
  })
})

test('sentences are broken between words', () => {
  expect(wrapText('aa bb cc dd', 5)).toEqual(['aa bb', 'cc dd'])
  expect(wrapText('longer-than-five', 5)).toEqual(['longer-than-five'])
})
