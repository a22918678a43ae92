import type { Row } from './rows.ts'
import { isPeer } from './rows.ts'
import { spreadPercent } from './statistics.ts'
import type { Verdict } from './targets.ts'

export type Cells = readonly string[]

export const rowHead: Cells = [
  'case',
  'subject',
  'median',
  'unit',
  'spread',
  'p50 us',
  'p99 us',
  'x ray',
  'x limit',
  'target',
]

export const verdictHead: Cells = ['case', 'subject', 'target', 'measured', 'verdict']

/** Figures with as many digits as one reads: thousands grouped, small ones with up to four digits. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return ''
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

export function rowCells(rows: readonly Row[], verdicts: readonly Verdict[]): Cells[] {
  return rows.map((row) => [
    row.case,
    row.subject,
    figure(row.median),
    row.unit,
    `${spreadPercent(row).toFixed(0)} %`,
    row.unit === 'ms' ? '' : figure(row.p50),
    row.unit === 'ms' ? '' : figure(row.p99),
    figure(row.ratio_to['ray']),
    figure(row.ratio_to['limit'] ?? row.ratio_to['limit-cpp']),
    verdictOf(row, verdicts),
  ])
}

export function verdictCells(verdicts: readonly Verdict[]): Cells[] {
  return verdicts.map((each) => [
    each.case,
    each.subject,
    each.wanted,
    figure(each.got),
    each.isMet ? 'ok' : 'short',
  ])
}

function verdictOf(row: Row, verdicts: readonly Verdict[]): string {
  if (isPeer(row.subject)) return ''
  const own = verdicts.filter((each) => each.case === row.case && each.subject === row.subject)
  if (own.length === 0) return ''
  return own.every((each) => each.isMet) ? 'ok' : 'short'
}

const isFigure = (text: string): boolean => /^[\d.,%\s-]*$/.test(text)

/** Columns padded with spaces, figures to the right. */
export function textTable(head: Cells, body: readonly Cells[]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...body.map((cells) => cells[column]!.length)),
  )
  const right = head.map((_, column) => body.every((cells) => isFigure(cells[column]!)))
  const line = (cells: Cells): string =>
    cells
      .map((cell, column) =>
        right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd()
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

export function markdownTable(head: Cells, body: readonly Cells[]): string {
  const right = head.map((_, column) => body.every((cells) => isFigure(cells[column]!)))
  const line = (cells: Cells): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(right.map((is) => (is ? '---:' : '---'))), ...body.map(line)].join('\n')
}
