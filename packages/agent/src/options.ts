import { availableParallelism } from 'node:os'
import { makeError, type ThornbackError } from './errors.ts'
import { checkNodeResources } from './node-resources.ts'

/** What a driver gives the agent that it starts; the README has the table. */
export interface AgentOptions {
  readonly fd: number
  readonly driverPid: number
  readonly cwd: string
  readonly sysPath: readonly string[]
  readonly python: string
  readonly cpus: number
  readonly resources: Readonly<Record<string, number>>
  readonly storeBytes: number
  readonly prestart: Readonly<Record<string, number>>
  readonly logToDriver: boolean
  readonly namespace: string
  readonly environment: Readonly<Record<string, string>>
  readonly idleSeconds: number
}

/** Reads the options from JSON text; a wrong one is reported with its full path. */
export function parseOptions(text: string): AgentOptions {
  const given = parseObject(text)
  const options: Record<string, unknown> = { ...defaults() }
  for (const [name, value] of Object.entries(given)) {
    const check = checks[name as keyof AgentOptions]
    if (!check) throw wrong(name, `there is no such option; there is ${known}`)
    const reason = check(value)
    if (reason) throw wrong(name, reason)
    options[name] = value
  }
  return options as unknown as AgentOptions
}

function defaults(): AgentOptions {
  return {
    fd: 3,
    driverPid: process.ppid,
    cwd: process.cwd(),
    sysPath: [],
    python: process.env['THORNBACK_PYTHON'] ?? 'python3',
    cpus: availableParallelism(),
    resources: {},
    storeBytes: 0,
    prestart: { python: 1, typescript: 1 },
    logToDriver: true,
    namespace: '',
    environment: {},
    idleSeconds: 60,
  }
}

type Check = (value: unknown) => string | null

const text: Check = (value) =>
  typeof value === 'string' && !value.includes('\0') ? null : 'must be text'
const count: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? null : 'must be a whole number from 0'
const positive: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? null : 'must be a whole number from 1'

const listOf = (check: Check): Check => {
  return (value) => {
    if (!Array.isArray(value)) return 'must be a list'
    return value.every((item) => check(item) === null) ? null : 'has an item of a wrong type'
  }
}

const mapOf = (check: Check): Check => {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a map'
    const bad = Object.entries(value).find(([, item]) => check(item) !== null)
    return bad ? `${bad[0]} ${check(bad[1])}` : null
  }
}

const checks: Readonly<Record<keyof AgentOptions, Check>> = {
  fd: count,
  driverPid: positive,
  cwd: text,
  sysPath: listOf(text),
  python: text,
  cpus: positive,
  resources: (value) => {
    const reason = mapOf((amount) => (typeof amount === 'number' ? null : 'must be a number'))(
      value,
    )
    if (!reason) checkNodeResources(value as Record<string, number>)
    return reason
  },
  storeBytes: count,
  prestart: mapOf(count),
  logToDriver: (value) => (typeof value === 'boolean' ? null : 'must be true or false'),
  namespace: text,
  environment: mapOf(text),
  idleSeconds: (value) => (typeof value === 'number' && value >= 0 ? null : 'must be a number'),
}
const known = Object.keys(checks).join(', ')

function parseObject(source: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw wrong('', `not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong('', 'must be a JSON object')
  }
  return value as Record<string, unknown>
}

function wrong(name: string, reason: string): ThornbackError {
  const option = name === '' ? 'agent options' : `agent options.${name}`
  return makeError('INVALID_ARGUMENT', { option, reason })
}
