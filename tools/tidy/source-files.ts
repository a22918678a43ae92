// The files that the rules look at: what git tracks or would track.
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

export interface SourceFile {
  path: string
  text: string
}

export interface Finding {
  rule: string
  path: string
  /** What is wrong, with the line where that helps. */
  message: string
  /** For sizes: lines counted. An exception allows up to its own figure. */
  size?: number
}

const binary = /\.(png|jpg|gif|ico|bin|npy|woff2?|gz|zip|node|so)$/

export function sourceFiles(): SourceFile[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  )
  return listed
    .split('\0')
    .filter((path) => path !== '' && !binary.test(path))
    .filter((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile())
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

export function isGenerated(path: string): boolean {
  return /(^|\/)generated[/.]|_generated\.|\.lock$|package-lock\.json$/.test(path)
}

/** What a recorded run of the benchmarks has written; it may quote what other engines say. */
export function isRecorded(path: string): boolean {
  return /^benchmarks\/(results\/|RESULTS\.md$)/.test(path)
}

export function isCode(path: string): boolean {
  return /\.(ts|mjs|js|py|cc|h|c)$/.test(path)
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
