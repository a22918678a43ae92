// Reads proto/errors.json and refuses a table that could not be generated from or would break a released code.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Fault = 'user' | 'environment' | 'peer' | 'engine'

export interface ErrorRow {
  readonly code: string
  readonly number: number
  readonly class: string
  readonly extends?: string
  readonly pythonBase?: string
  /** The status of the C ABI that means the same, without its number. */
  readonly status?: string
  readonly fault: Fault
  readonly retryable: boolean
  readonly message: string
  readonly meaning: string
}

export interface ErrorTable {
  readonly faults: Readonly<Record<Fault, string>>
  readonly errors: readonly ErrorRow[]
  /** Number of a status in thornback.h -> code. */
  readonly codeOfStatus: readonly (readonly [number, string])[]
}

function statusNumbers(root: string): Map<string, number> {
  const header = readFileSync(join(root, 'core-native/include/thornback.h'), 'utf8')
  const body = /enum tbk_status \{(.*?)\}/s.exec(header)?.[1]
  if (body === undefined) throw new Error('thornback.h has no enum tbk_status')
  const pairs = [...body.matchAll(/(TBK_\w+) = (\d+)/g)]
  return new Map(pairs.map((match) => [match[1] ?? '', Number(match[2])]))
}

function requireUnique(rows: readonly ErrorRow[], key: 'code' | 'number' | 'class'): void {
  const seen = new Set<string | number>()
  for (const row of rows) {
    if (seen.has(row[key])) throw new Error(`errors.json: two errors have the ${key} ${row[key]}`)
    seen.add(row[key])
  }
}

export function readErrorTable(root: string): ErrorTable {
  const table = JSON.parse(readFileSync(join(root, 'proto/errors.json'), 'utf8')) as ErrorTable
  for (const key of ['code', 'number', 'class'] as const) requireUnique(table.errors, key)
  const numbers = statusNumbers(root)
  const codeOfStatus: [number, string][] = []
  const declared = new Set<string>()
  for (const row of table.errors) {
    if (!(row.fault in table.faults))
      throw new Error(`errors.json: ${row.code}: fault ${row.fault}`)
    if (row.number < 1 || row.number > 0xffff) throw new Error(`errors.json: ${row.code}: number`)
    if (row.extends !== undefined && !declared.has(row.extends)) {
      throw new Error(`errors.json: ${row.code} extends ${row.extends}, which is not above it`)
    }
    declared.add(row.class)
    if (row.status === undefined) continue
    const number = numbers.get(row.status)
    if (number === undefined) throw new Error(`errors.json: ${row.code}: no status ${row.status}`)
    codeOfStatus.push([number, row.code])
  }
  return { ...table, codeOfStatus: codeOfStatus.sort((a, b) => a[0] - b[0]) }
}

/** Breaks a sentence into lines of at most `width` characters. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else {
      lines.push(word)
    }
  }
  return lines
}
