import { afterAll, beforeAll } from 'vitest'
import { type Cluster, init, type InitOptions } from '../src/index.ts'

/** Small enough for any machine that runs the tests. */
export const testOptions: InitOptions = { storeBytes: 256 * 1024 * 1024, cpus: 2 }

/** One session for all tests of a file. */
export function withSession(options: InitOptions = {}): { readonly cluster: Cluster } {
  const holder: { cluster: Cluster | undefined } = { cluster: undefined }
  beforeAll(async () => {
    holder.cluster = await init({ ...testOptions, ...options })
  })
  afterAll(async () => {
    await holder.cluster?.shutdown()
  })
  return holder as { cluster: Cluster }
}

/** An argument that the types do not allow. */
export function wrong(argument: unknown): never {
  return argument as never
}

/** The error that a promise is rejected with. */
export async function errorOf(promise: PromiseLike<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it was expected to fail')
}
