import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Role } from '../../native/binding.ts'
import { type Callable, ResultKind } from '../callable.ts'
import { Endpoint } from '../endpoint.ts'
import type { IncomingCall } from '../incoming-call.ts'

const storeBytes = 64 * 1024 * 1024

/** A node and a driver in one thread: the node serves what the driver calls. */
export class Loopback {
  readonly socketPath: string
  readonly node: Endpoint
  readonly driver: Endpoint
  readonly #folder: string
  readonly #target: number

  constructor(serve: (call: IncomingCall) => void, pendingCallsMax?: number) {
    this.#folder = mkdtempSync(join(tmpdir(), 'loopback-'))
    this.socketPath = join(this.#folder, 'hub.sock')
    const { socketPath } = this
    const language = 'typescript'
    this.node = Endpoint.startNode(
      { socketPath, storeBytesMax: storeBytes },
      { role: Role.agent, socketPath, language },
    )
    this.node.events.call = serve
    this.driver = Endpoint.attach({ role: Role.driver, socketPath, language, pendingCallsMax })
    this.#target = this.driver.native.targetEndpoint(0, 1)
  }

  callable(name: string, kind: number = ResultKind.unknown): Callable {
    return this.driver.callable(this.#target, name, kind)
  }

  [Symbol.dispose](): void {
    this.driver.close()
    this.node.close()
    rmSync(this.#folder, { recursive: true })
  }
}
