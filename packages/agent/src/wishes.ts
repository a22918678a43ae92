import type { ActorDescription } from './actors.ts'
import type { Fields } from './arguments.ts'
import type { Construction } from './construction.ts'
import {
  type EnvironmentRequest,
  resolveEnvironment,
  type WorkerEnvironment,
} from './environment.ts'
import { invalidArgument } from './errors.ts'
import type { Shape } from './leases.ts'
import type { AgentOptions } from './options.ts'
import { toUnits, unitsPerOne } from './resource-amounts.ts'
import { readRequest } from './resource-request.ts'

const int32Max = 2 ** 31 - 1

/** What the shape of a lease asks for. */
export function readShape(shape: Fields, options: AgentOptions): Shape {
  // `cpu` is short for `resources.cpu`.
  const cpu = shape.has('cpu') ? toUnits(shape.path('cpu'), 'cpu', shape.raw('cpu')) : unitsPerOne
  const reason = 'must be a whole number of 32 bits'
  return {
    language: shape.text('language'),
    environment: readEnvironment(shape, options),
    resources: readRequest(shape.fields('resources'), cpu),
    priority: shape.integer('priority', 0, -int32Max - 1, int32Max, reason),
  }
}

/** What an actor is, except for whose it is. */
export function readDescription(
  wish: Fields,
  options: AgentOptions,
): Omit<ActorDescription, 'creator' | 'job'> {
  const extra = wish.fields('options')
  const reason = 'must be a whole number from 0, or -1 for no limit'
  return {
    id: wish.id('id'),
    language: wish.text('language'),
    className: wish.text('class'),
    label: extra.optionalText('label') ?? null,
    name: wish.optionalText('name') ?? null,
    namespace: wish.optionalText('namespace') ?? options.namespace,
    methods: extra.optionalTexts('methods') ?? null,
    maxRestarts: extra.integer('maxRestarts', 0, -1, Number.MAX_SAFE_INTEGER, reason),
  }
}

/** How an actor is constructed. */
export function readConstruction(wish: Fields, options: AgentOptions): Construction {
  const extra = wish.fields('options')
  const resources = readRequest(extra.fields('resources'), 0)
  const share = extra.flag('share')
  if (share && resources.size > 0) {
    const reason = 'an actor that needs resources has a process to itself; leave one of the two out'
    throw invalidArgument(extra.path('share'), reason)
  }
  const environment = readEnvironment(extra, options)
  return { environment, resources, share, args: wish.raw('args'), options: wish.raw('options') }
}

function readEnvironment(fields: Fields, options: AgentOptions): WorkerEnvironment {
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
