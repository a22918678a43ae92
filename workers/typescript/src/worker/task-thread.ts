import { Worker } from './worker.ts'

export interface ThreadData {
  readonly socketPath: string
  readonly token: string
}

/** What the pool runs in a thread: serves until the session ends. */
export function serve({ socketPath, token }: ThreadData): Promise<void> {
  return new Promise((resolve) => {
    new Worker({ socketPath, token, exit: resolve })
  })
}
