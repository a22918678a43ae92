import { flushCompileCache } from 'node:module'
import { isatty } from 'node:tty'
import { CoreEndpoint } from './core-endpoint.ts'
import { report, reportOf, watchLifeline } from './lifeline.ts'
import { LogRelay } from './log-relay.ts'
import { listenForLogs } from './log-server.ts'
import { NodeAgent } from './node-agent.ts'
import { NodeStarter } from './node-starter.ts'
import { type AgentOptions, parseOptions } from './options.ts'
import { PythonStarter } from './python-starter.ts'
import {
  createSessionFolder,
  removeSessionFolder,
  type SessionFolder,
  sessionsRoot,
} from './session-folder.ts'
import { sweepStaleSessions } from './stale-sessions.ts'
import { checkStoreFits } from './store-limit.ts'
import { DescriptorWriter } from './text-writer.ts'

const lifelineDefault = 3
const stderr = 2
/** What can wait until the driver has what it came for. */
const laterMs = 200

/** Starts the node and tells the driver where it is. */
export function main(): void {
  const text = process.argv[2] ?? '{}'
  let options: AgentOptions | null = null
  let folder: SessionFolder | null = null
  let agent: NodeAgent | null = null
  // Before the driver hears of the session. Handlers run when this function has returned.
  onSignals((reason) => void agent?.shutdown(reason))
  try {
    options = parseOptions(text)
    checkStoreFits(options.storeBytes)
    folder = createSessionFolder()
    const endpoint = new CoreEndpoint(folder, options.storeBytes)
    const { socket, session, path } = folder
    report(options.fd, { socket, session, folder: path, pid: process.pid })
    agent = run(options, folder, endpoint)
  } catch (error) {
    if (folder) removeSessionFolder(folder.path)
    report(options?.fd ?? lifelineDefault, reportOf(error))
    process.exit(1)
  }
}

function onSignals(end: (reason: string) => void): void {
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => end(`the agent received ${signal}`))
  }
  // Ctrl-C reaches the whole foreground group; the driver decides what it means.
  process.on('SIGINT', () => {})
}

function run(options: AgentOptions, folder: SessionFolder, endpoint: CoreEndpoint): NodeAgent {
  const relay = new LogRelay({
    folder: folder.logs,
    driver: options.logToDriver ? new DescriptorWriter(stderr) : null,
    colour: isatty(stderr) && !process.env['NO_COLOR'],
  })
  const logServer = listenForLogs(folder.logSocket, relay)
  // Whoever starts a worker that needs it gets the reason.
  logServer.catch(() => {})
  const agent = new NodeAgent({
    options,
    folder,
    endpoint,
    relay,
    starters: {
      python: new PythonStarter(folder, logServer),
      typescript: new NodeStarter(folder),
    },
    ended: () => {
      removeSessionFolder(folder.path)
      process.exit(0)
    },
  })
  endpoint.serve(agent)
  watchLifeline(options.fd, () => void agent.shutdown('the driver is gone'))
  setTimeout(() => {
    flushCompileCache()
    void sweepStaleSessions(sessionsRoot())
  }, laterMs).unref()
  return agent
}
