// A worker process, started by the node agent (packages/agent/README.md describes the environment it gets).

import { enableCompileCache } from 'node:module'

// The sources are stripped of their types and compiled once, not by every worker.
enableCompileCache()

function required(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') {
    console.error(`${name} is not set: a worker is started by the node agent`)
    process.exit(2)
  }
  return value
}

/** A worker that got no call for so long was started ahead of need. */
const calmMs = 20

const socketPath = required('THORNBACK_SOCKET')
const token = required('THORNBACK_TOKEN')
if (process.env['THORNBACK_KIND'] === 'threads') {
  const { ThreadHost } = await import('./thread-host.ts')
  new ThreadHost(socketPath, token, Number(process.env['THORNBACK_THREADS'] ?? 1))
} else {
  const { Worker } = await import('./worker.ts')
  const { endpoint } = new Worker({ socketPath, token, exit: () => process.exit(0) })
  setTimeout(() => {
    if (endpoint.stats.callsReceived === 0) void prepare()
  }, calmMs).unref()
}

async function prepare(): Promise<void> {
  const { warmUp } = await import('./warm-up.ts')
  // What fails here fails again where it is needed.
  await warmUp().catch(() => {})
}
