// proto/errors.json -> workers/typescript/src/errors/generated.ts

import { type ErrorRow, type ErrorTable, wrapText } from './error-table.ts'

function quoted(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`
}

function comment(text: string): string {
  if (text.length <= 93) return `/** ${text} */`
  return `/**\n${wrapText(text, 97)
    .map((line) => ` * ${line}`)
    .join('\n')}\n */`
}

function errorClass(row: ErrorRow): string {
  const message = `    message: ${quoted(row.message)},`
  return `${comment(row.meaning)}
export class ${row.class} extends ${row.extends ?? 'ThornbackError'} {
  static override readonly kind: ErrorKind<ErrorCode> = {
    code: '${row.code}',
    number: ${row.number},
    fault: '${row.fault}',
    retryable: ${row.retryable},
${message.length <= 100 ? message : `    message:\n      ${quoted(row.message)},`}
  }
  static {
    this.prototype.name = '${row.class}'
  }
}
`
}

export function typescriptErrors(table: ErrorTable): string {
  const codes = table.errors.map((row) => `  | '${row.code}'`).join('\n')
  const classes = table.errors.map((row) => `  ${row.code}: ${row.class},`).join('\n')
  const statuses = table.codeOfStatus.map(([status, code]) => `  ${status}: '${code}',`).join('\n')
  return `// Generated from proto/errors.json by tools/codegen; do not edit.

import { type ErrorKind, ThornbackError } from './thornback-error.ts'

/** The stable codes of all errors that Thornback itself raises. */
export type ErrorCode =
${codes}

${table.errors.map(errorClass).join('\n')}
/** The class of each code. */
export const errorClasses = {
${classes}
} as const satisfies Record<ErrorCode, typeof ThornbackError>

/** The code that says the same as a status of the C ABI. */
export const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
${statuses}
}
`
}
