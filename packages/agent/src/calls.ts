import type { ActorHost } from './actor-host.ts'
import { type ActorRegistry, type AddressWaiter, diedError, displayName } from './actors.ts'
import { Fields } from './arguments.ts'
import { giveUpArguments } from './construction.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { IncomingCall } from './endpoint.ts'
import { makeError, ThornbackError } from './errors.ts'
import type { KeyValues } from './key-values.ts'
import type { Leases } from './leases.ts'
import type { LogRelay } from './log-relay.ts'
import type { AgentOptions } from './options.ts'
import { readConstruction, readDescription, readShape } from './wishes.ts'

/** What the calls work on. */
export interface CallContext {
  readonly options: AgentOptions
  readonly dispatcher: Dispatcher
  readonly leases: Leases
  readonly registry: ActorRegistry
  readonly actors: ActorHost
  readonly keyValues: KeyValues
  readonly relay: LogRelay
  /** The driver for which an endpoint works. */
  readonly jobOf: (endpoint: number) => number
  readonly nodeInfo: () => Record<string, unknown>
  readonly shutdown: (reason: string) => void
}

/** How long the news of a death may take from one endpoint to another. */
const noticeMs = 10_000

type Handler = (context: CallContext, call: IncomingCall) => void | Promise<void>

const handlers: Readonly<Record<string, Handler>> = {
  'agent::lease': lease,
  'agent::release': release,
  'agent::end_worker': endWorker,
  'agent::create_actor': createActor,
  'agent::actor_address': actorAddress,
  'agent::get_actor': getActor,
  'agent::kill_actor': killActor,
  'agent::kv_put': putValue,
  'agent::kv_get': getValue,
  'agent::blocked': ({ dispatcher }, call) => {
    dispatcher.blocked(call.caller)
    call.reply()
  },
  'agent::unblocked': ({ dispatcher }, call) => {
    dispatcher.unblocked(call.caller)
    call.reply()
  },
  'agent::node_info': (context, call) => call.reply(context.nodeInfo()),
  'agent::shutdown': (context, call) => {
    call.reply()
    context.shutdown('a driver asked for it')
  },
}

/** Executes one call to the agent; whatever goes wrong is its reply. */
export async function serve(context: CallContext, call: IncomingCall): Promise<void> {
  try {
    const handler = handlers[call.function]
    if (!handler) {
      const available = Object.keys(handlers).join(', ')
      throw makeError('NOT_FOUND', { kind: 'call', name: call.function, available })
    }
    await handler(context, call)
  } catch (error) {
    call.fail(
      error instanceof ThornbackError
        ? error
        : makeError('INTERNAL', { reason: String(error) }, { cause: error }),
    )
  }
}

function lease({ options, leases, jobOf }: CallContext, call: IncomingCall): void {
  let granted = false
  const request = leases.request({
    shape: readShape(Fields.of('shape', call.args[0]), options),
    holder: call.caller,
    job: jobOf(call.caller),
    granted: (endpoint, gpus) => {
      granted = true
      call.onCancel = null
      call.reply([endpoint, 0, ...gpus])
    },
    failed: (error) => call.fail(error),
  })
  if (granted) return
  call.onCancel = () => {
    call.onCancel = null
    leases.withdraw(request)
    call.fail(makeError('CANCELLED', { function: call.function }))
  }
}

function release({ leases }: CallContext, call: IncomingCall): void {
  const fields = Fields.ofCall('release', call.args, ['endpoint'])
  leases.release(fields.endpoint('endpoint'), call.caller)
  call.reply()
}

function endWorker({ leases, relay, jobOf }: CallContext, call: IncomingCall): void {
  const fields = Fields.ofCall('end_worker', call.args, ['endpoint', 'reason'])
  const reason = fields.optionalText('reason') ?? 'its task was cancelled'
  const { host, token } = leases.end(fields.endpoint('endpoint'), jobOf(call.caller))
  relay.note(host, `(worker ${token} was ended: ${reason})`)
  call.reply()
}

function createActor(context: CallContext, call: IncomingCall): void {
  const { options, registry, actors, jobOf } = context
  const wish = Fields.of('actor', call.args[0])
  const whose = { creator: call.caller, job: jobOf(call.caller) }
  const description = { ...readDescription(wish, options), ...whose }
  const construction = readConstruction(wish, options)
  const getIfExists = wish.fields('options').flag('getIfExists')
  const { actor, created } = registry.create(description, getIfExists)
  if (created) actors.start(actor, construction)
  else giveUpArguments(construction.args)
  registry.wait(actor, waiterOf(call))
}

function actorAddress({ registry }: CallContext, call: IncomingCall): void {
  const fields = Fields.ofCall('actor_address', call.args, ['id', 'endpoint'])
  const actor = registry.get(fields.id('id'))
  const goneAt = fields.has('endpoint') ? fields.endpoint('endpoint') : undefined
  const waiter = { ...waiterOf(call), goneAt }
  const giveUp = (error: ThornbackError) => {
    registry.stopWaiting(actor, waiter)
    waiter.reject(error)
  }
  call.onCancel = () => giveUp(makeError('CANCELLED', { function: call.function }))
  registry.wait(actor, waiter)
  if (goneAt === undefined || actor.address?.[0] !== goneAt) return
  // A death is noticed everywhere within milliseconds. Whoever cannot reach a living actor must not wait for ever.
  setTimeout(() => {
    if (actor.address?.[0] !== goneAt) return
    giveUp(diedError(actor, `its process runs, but endpoint ${call.caller} cannot reach it`))
  }, noticeMs).unref()
}

function waiterOf(call: IncomingCall): AddressWaiter {
  return {
    resolve: (address) => {
      call.onCancel = null
      call.reply(address)
    },
    reject: (error) => {
      call.onCancel = null
      call.fail(error)
    },
  }
}

function getActor({ registry, options }: CallContext, call: IncomingCall): void {
  const fields = Fields.ofCall('get_actor', call.args, ['name', 'namespace'])
  const namespace = fields.optionalText('namespace') ?? options.namespace
  const actor = registry.getByName(fields.text('name'), namespace)
  call.reply({
    id: Buffer.from(actor.id, 'hex'),
    language: actor.language,
    class: actor.className,
    methods: actor.methods,
    restartable: actor.maxRestarts !== 0,
  })
}

async function killActor({ registry, actors }: CallContext, call: IncomingCall): Promise<void> {
  const fields = Fields.ofCall('kill_actor', call.args, ['id', 'graceful'])
  const actor = registry.get(fields.id('id'))
  await actors.kill(actor, `${displayName(actor)} was killed by its user`, fields.flag('graceful'))
  call.reply()
}

function putValue({ keyValues }: CallContext, call: IncomingCall): void {
  const fields = Fields.ofCall('kv_put', call.args, ['key', 'value'])
  keyValues.put(fields.text('key'), fields.bytes('value'))
  call.reply()
}

function getValue({ keyValues }: CallContext, call: IncomingCall): void {
  call.reply(keyValues.get(Fields.ofCall('kv_get', call.args, ['key']).text('key')))
}
