import { type Actor, displayName } from './actors.ts'
import type { CallContext } from './calls.ts'
import type { NodeAgentParts } from './node-agent.ts'
import type { Peers } from './peers.ts'

/** What `agent::node_info` tells. */
export function describeNode(
  { options, folder, endpoint }: NodeAgentParts,
  { dispatcher, registry, actors }: CallContext,
  peers: Peers,
): Record<string, unknown> {
  const resourcesUsed = dispatcher.budget.describeUsed()
  return {
    session: folder.session,
    folder: folder.path,
    pid: process.pid,
    namespace: options.namespace,
    cpus: options.cpus,
    cpusUsed: resourcesUsed['cpu'],
    resources: dispatcher.budget.describeTotal(),
    resourcesUsed,
    storeBytes: endpoint.storeBytes,
    waiting: dispatcher.waiting,
    drivers: peers.drivers().map(({ id, pid, language, token }) => ({ id, pid, language, token })),
    workers: dispatcher.pool.slots().map(({ token, host, endpoint: id, state, job }) => {
      const found = dispatcher.hosts.get(host)
      const pid = found?.process?.pid ?? 0
      return { id, pid, token, state, job, language: found?.spec.language ?? '' }
    }),
    actors: registry.list().map((actor) => ({
      ...describeActor(actor),
      restarts: actors.restartsOf(actor),
    })),
  }
}

function describeActor(actor: Actor): Record<string, unknown> {
  return {
    id: Buffer.from(actor.id, 'hex'),
    display: displayName(actor),
    language: actor.language,
    class: actor.className,
    name: actor.name,
    namespace: actor.namespace,
    state: actor.state,
    cause: actor.error?.message ?? null,
    incarnation: actor.incarnation,
    maxRestarts: actor.maxRestarts,
    deaths: actor.deaths,
    address: actor.address,
  }
}
