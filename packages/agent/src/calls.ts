import type { ActorHost } from './actor-host.ts'
import { type Actor, type ActorRegistry, displayName } from './actors.ts'
import { Fields } from './arguments.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { IncomingCall } from './endpoint.ts'
import {
  type EnvironmentRequest,
  resolveEnvironment,
  type WorkerEnvironment,
} from './environment.ts'
import { makeError, ThornbackError } from './errors.ts'
import type { KeyValues } from './key-values.ts'
import type { Leases } from './leases.ts'
import type { AgentOptions } from './options.ts'

/** What the calls work on. */
export interface CallContext {
  readonly options: AgentOptions
  readonly dispatcher: Dispatcher
  readonly leases: Leases
  readonly registry: ActorRegistry
  readonly actors: ActorHost
  readonly keyValues: KeyValues
  /** The driver for which an endpoint works. */
  readonly jobOf: (endpoint: number) => number
  readonly nodeInfo: () => Record<string, unknown>
  readonly shutdown: (reason: string) => void
}

type Handler = (context: CallContext, call: IncomingCall) => void | Promise<void>

const handlers: Readonly<Record<string, Handler>> = {
  'agent::lease': lease,
  'agent::release': release,
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
  const shape = Fields.of('shape', call.args[0])
  let granted = false
  const request = leases.request({
    shape: {
      language: shape.text('language'),
      environment: environmentOf(shape, options),
      cpu: shape.number('cpu', 1),
    },
    holder: call.caller,
    job: jobOf(call.caller),
    granted: (endpoint) => {
      granted = true
      call.onCancel = null
      call.reply([endpoint, 0])
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

function createActor(context: CallContext, call: IncomingCall): void {
  const { options, registry, actors, jobOf } = context
  const wish = Fields.of('actor', call.args[0])
  const extra = wish.fields('options')
  const description = {
    id: wish.id('id'),
    language: wish.text('language'),
    className: wish.text('class'),
    label: extra.optionalText('label') ?? null,
    name: wish.optionalText('name') ?? null,
    namespace: wish.optionalText('namespace') ?? options.namespace,
    methods: extra.optionalTexts('methods') ?? null,
    creator: call.caller,
    job: jobOf(call.caller),
  }
  const construction = {
    environment: environmentOf(extra, options),
    cpu: extra.fields('resources').number('cpu', 0),
    share: extra.flag('share'),
    args: wish.raw('args'),
    options: wish.raw('options') ?? {},
  }
  const { actor, created } = registry.create(description, extra.flag('getIfExists'))
  if (created) actors.start(actor, construction)
  replyAddress(registry, actor, call)
}

function actorAddress({ registry }: CallContext, call: IncomingCall): void {
  const fields = Fields.ofCall('actor_address', call.args, ['id'])
  replyAddress(registry, registry.get(fields.id('id')), call)
}

function replyAddress(registry: ActorRegistry, actor: Actor, call: IncomingCall): void {
  const waiter = {
    resolve: (address: readonly [number, number]) => call.reply(address),
    reject: (error: ThornbackError) => call.fail(error),
  }
  registry.wait(actor, waiter)
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

function environmentOf(fields: Fields, options: AgentOptions): WorkerEnvironment {
  if (!fields.has('environment')) return resolveEnvironment(undefined, options)
  const given = fields.fields('environment')
  const request: EnvironmentRequest = {
    python: given.optionalText('python'),
    cwd: given.optionalText('cwd'),
    sysPath: given.optionalTexts('sysPath'),
    variables: given.optionalTextMap('variables'),
  }
  return resolveEnvironment(request, options)
}
