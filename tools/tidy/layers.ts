// What may include or import what.
import { dirname, join, normalize } from 'node:path'
import { type Finding, type SourceFile, lineOf } from './source-files.ts'

/** Layers of core-native/src and what lies below each; the same list as in core-native/CMakeLists.txt. */
export const below: Readonly<Record<string, readonly string[]>> = {
  base: [],
  shm: ['base'],
  store: ['base', 'shm'],
  channel: ['base', 'shm'],
  node: ['base', 'shm'],
  call: ['base', 'shm', 'store', 'channel', 'node'],
  runtime: ['base', 'shm', 'store', 'channel', 'node', 'call'],
}

function layerOf(path: string): string | undefined {
  return /^core-native\/(?:src|testing)\/(\w+)\//.exec(path)?.[1]
}

/** Bindings see the engine through its public header alone. */
function isBinding(path: string): boolean {
  return /^core-native\/addon\/|^workers\/\w+\/.*\.(cc|h|cpp|hpp)$/.test(path)
}

export function includeLayers(file: SourceFile): Finding[] {
  const layer = layerOf(file.path)
  const allowed = isBinding(file.path)
    ? []
    : layer && below[layer]
      ? [...below[layer], layer]
      : undefined
  if (!allowed) return []
  const findings: Finding[] = []
  for (const match of file.text.matchAll(/^\s*#\s*include\s+["<](?:\.\.\/)*(?:src\/)?(\w+)\//gm)) {
    const included = match[1] ?? ''
    if (!(included in below) || allowed.includes(included)) continue
    const from = layer ?? 'a binding'
    const message = `line ${lineOf(file.text, match.index)}: ${from} includes ${included}, which is not below it`
    findings.push({ rule: 'include-layers', path: file.path, message })
  }
  return findings
}

const importPattern = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?['"](\.[^'"]+)['"]/gm

/** Cycles of imports that exist at run time, each reported once. */
export function importCycles(files: SourceFile[]): Finding[] {
  const edges = new Map<string, string[]>()
  for (const { path, text } of files) {
    if (!/\.(ts|mjs|js)$/.test(path)) continue
    const targets = [...text.matchAll(importPattern)].map((match) =>
      normalize(join(dirname(path), match[1] ?? '')),
    )
    edges.set(path, targets)
  }
  const findings: Finding[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      const cycle = [...trail.slice(at), path].join(' -> ')
      findings.push({ rule: 'import-cycle', path, message: cycle })
      return
    }
    if (done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return findings
}
