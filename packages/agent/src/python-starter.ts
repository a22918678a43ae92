import type { Server } from 'node:net'
import { ForkServer } from './fork-server.ts'
import type { HostProcess, HostSpec, HostStarter } from './host.ts'
import type { SessionFolder } from './session-folder.ts'

/** Starts Python workers by forking them from a server per environment, which is started when it is first needed. */
export class PythonStarter implements HostStarter {
  readonly #folder: SessionFolder
  readonly #logServer: Promise<Server>
  readonly #servers = new Map<string, ForkServer>()

  /** Workers connect to the log socket as soon as they are forked. */
  constructor(folder: SessionFolder, logServer: Promise<Server>) {
    this.#folder = folder
    this.#logServer = logServer
  }

  async start(spec: HostSpec): Promise<HostProcess> {
    await this.#logServer
    let server = this.#servers.get(spec.environment.key)
    if (!server || server.ended) {
      server = new ForkServer(spec.environment, this.#folder)
      this.#servers.set(spec.environment.key, server)
    }
    return server.fork(spec)
  }

  async close(): Promise<void> {
    const servers = [...this.#servers.values()]
    this.#servers.clear()
    await Promise.all(servers.map((server) => server.close()))
  }
}
