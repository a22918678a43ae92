import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Paths of files that do not exist yet; they are removed at the end. */
export function withScratch(): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'thornback-test-'))
  let files = 0
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => join(folder, `${++files}`)
}

export const fixtures = new URL('./fixtures/', import.meta.url).pathname
