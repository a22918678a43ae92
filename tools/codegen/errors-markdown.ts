// proto/errors.json -> the table inside proto/errors.md, between its two marks.

import type { ErrorTable } from './error-table.ts'

const begin = '<!-- table: generated from errors.json by tools/codegen -->'
const end = '<!-- end of the table -->'

function table({ errors, faults }: ErrorTable): string {
  const rows = errors.map((row) => {
    const base = row.pythonBase === undefined ? '' : ` (Python: also \`${row.pythonBase}\`)`
    const retry = row.retryable ? 'yes' : 'no'
    const name = `\`${row.class}\`${base}`
    return `| \`${row.code}\` | ${row.number} | ${name} | ${row.fault} | ${retry} | ${row.meaning} |`
  })
  const legend = Object.entries(faults).map(([fault, meaning]) => `- *${fault}*: ${meaning}`)
  return [
    '| code | number | class | fault | retryable | when |',
    '| --- | ---: | --- | --- | --- | --- |',
    ...rows,
    '',
    ...legend,
  ].join('\n')
}

/** Returns `document` with a fresh table. */
export function markdownErrors(errors: ErrorTable, document: string): string {
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`proto/errors.md lacks the marks "${begin}", "${end}"`)
  return `${document.slice(0, from)}${begin}\n${table(errors)}\n${document.slice(to)}`
}
