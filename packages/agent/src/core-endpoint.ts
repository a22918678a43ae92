import {
  Endpoint as Attached,
  type PeerFields,
  Role,
} from '../../../workers/typescript/src/internal.ts'
import type { Endpoint, EndpointEvents, Peer } from './endpoint.ts'
import type { SessionFolder } from './session-folder.ts'

type Callable = ReturnType<Attached['callable']>

interface Target {
  readonly number: number
  readonly functions: Map<string, Callable>
}

/** The agent's endpoint in the core; it starts the node of the session. */
export class CoreEndpoint implements Endpoint {
  readonly #attached: Attached
  readonly #targets = new Map<number, Target>()

  /** Blocks for some milliseconds. Events arrive after `serve`. */
  constructor(folder: SessionFolder, storeBytes: number) {
    this.#attached = Attached.startNode(
      { socketPath: folder.socket, storeBytesMax: storeBytes },
      {
        role: Role.agent,
        socketPath: folder.socket,
        language: 'typescript',
        token: 'agent',
        // It answers rarely, and the CPUs belong to those who compute.
        spinNs: 0,
      },
    )
  }

  get storeBytes(): number {
    return this.#attached.info.storeBytesMax
  }

  serve(events: EndpointEvents): void {
    const own = this.#attached.events
    own.call = (call) => events.call(call)
    own.peerJoined = (fields) => events.joined(parsePeer(fields))
    own.peerLeft = (endpoint, cause) => {
      this.#forget(endpoint)
      events.left(endpoint, cause)
    }
    this.#attached.outbox.keepAlive(1)
  }

  async call(
    endpoint: number,
    instance: number,
    name: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    const ref = this.#attached.call(this.#callable(endpoint, instance, name), args)
    try {
      return await ref.get()
    } finally {
      ref.dispose()
    }
  }

  close(): void {
    this.#attached.close()
  }

  #callable(endpoint: number, instance: number, name: string): Callable {
    const { native } = this.#attached
    let target = this.#targets.get(endpoint)
    if (!target) {
      target = { number: native.targetEndpoint(endpoint, instance), functions: new Map() }
      this.#targets.set(endpoint, target)
    }
    let callable = target.functions.get(name)
    if (!callable) {
      callable = this.#attached.callable(target.number, name, valueResult)
      target.functions.set(name, callable)
    }
    return callable
  }

  #forget(endpoint: number): void {
    const target = this.#targets.get(endpoint)
    if (!target) return
    this.#targets.delete(endpoint)
    this.#attached.native.targetRelease(target.number)
  }
}

/** Calls of the agent never return streams. */
const valueResult = 1

/** The text of a joined peer is `role language token`; the token may contain blanks. */
export function parsePeer({ id, pid, text }: PeerFields): Peer {
  const [role = '', language = ''] = text.split(' ', 2)
  return { id, pid, role, language, token: text.slice(role.length + language.length + 2) }
}
