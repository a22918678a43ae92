import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')

/** How many cases of each group passed for each pair, as text. */
export function coverageTable(
  counts: ReadonlyMap<string, ReadonlyMap<string, number>>,
  pairs: readonly string[],
): string {
  const rows = [...counts].map(([group, of]) => [group, ...pairs.map((pair) => of.get(pair) ?? 0)])
  return table([['cases', ...pairs], ...rows])
}

function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => String(row[column]).length)),
  )
  const line = (row: readonly (string | number)[]): string =>
    row
      .map((cell, column) => String(cell).padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return `\n${rows.map(line).join('\n')}\n`
}

/** Names of the functions of the C ABI, in the header's order. */
export function abiFunctions(): string[] {
  const header = readFileSync(join(root, 'core-native/include/thornback.h'), 'utf8')
  return [...header.matchAll(/^TBK_API\s[^;(]*?\b(tbk_\w+)\(/gm)].map((match) => match[1]!)
}

/** Where each binding's sources lie. */
export const bindings = {
  typescript: 'core-native/addon',
  python: 'workers/python/src/native',
} as const

export type Binding = keyof typeof bindings

/** Functions of the ABI that a binding's sources call. */
export function boundFunctions(binding: Binding): Set<string> {
  const folder = join(root, bindings[binding])
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const text = files
    .filter((name) => /\.(cc|h)$/.test(name) && !/_test\.cc$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8').replace(/\/\/.*$/gm, ''))
    .join('\n')
  return new Set([...text.matchAll(/\b(tbk_\w+)\s*\(/g)].map((match) => match[1]!))
}

export function abiTable(
  reasons: Readonly<Record<Binding, Readonly<Record<string, string>>>>,
): string {
  const names = Object.keys(bindings) as Binding[]
  const bound = new Map(names.map((name) => [name, boundFunctions(name)]))
  const rows = abiFunctions().map((each) => [
    each,
    ...names.map((name) => (bound.get(name)!.has(each) ? 'bound' : (reasons[name][each] ?? '?'))),
  ])
  return table([['function', ...names], ...rows])
}
