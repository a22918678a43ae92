import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type Cluster, init, type InitOptions, type Language, python, typescript } from 'thornback'

export const fixtures = join(import.meta.dirname, '../fixtures')

/** One CPU: one task worker per language, so that a test can tell whether it is still the same one. */
export const options: InitOptions = {
  cwd: fixtures,
  sysPath: [fixtures],
  storeBytes: 64 * 1024 * 1024,
  cpus: 1,
}

/** One session for the tests of a file. */
export function withSession(given: InitOptions = {}): void {
  let cluster: Cluster | undefined
  beforeAll(async () => {
    cluster = await init({ ...options, ...given })
  })
  afterAll(() => cluster?.shutdown())
}

export interface Callee {
  readonly name: 'typescript' | 'python'
  readonly language: Language
  /** How the fixture `name` is named in this language. */
  readonly module: (name: string) => string
}

/** The languages that are called; the same fixtures exist in each. */
export const callees: readonly Callee[] = [
  { name: 'typescript', language: typescript, module: (name) => `./${name}.ts` },
  { name: 'python', language: python, module: (name) => name },
]

/** The error that a call fails with, or that is thrown when it is made. */
export async function errorOf(run: () => unknown): Promise<Error & { code?: string }> {
  try {
    await run()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was expected to fail')
}
