// The driver of TypeScript: executes the steps of cases; test/conformance/README.md describes the protocol.

import {
  type ActorHandle,
  type ActorOptions,
  type AnyApi,
  cancel,
  type Cluster,
  getActor,
  init,
  kill,
  kw,
  type MethodCallOptions,
  ObjectRef,
  pending,
  put,
  python,
  RemoteException,
  room,
  ThornbackError,
  typescript,
  wait,
} from 'thornback'
import type { Tagged } from '../../../../workers/typescript/src/codec/testing/tagged.ts'
import { connectionOf } from '../../../../workers/typescript/src/sdk/actor-handle.ts'
import type { Answer, Step, StepOptions } from '../../support/protocol.ts'
import { toTagged, toValue } from './values.ts'

const languages = { typescript, python }
const things = new Map<string, object>()
let cluster: Cluster
let received = 0

/** What had the name before is let go of at once. */
function remember(name: string, made: object): void {
  const before = things.get(name)
  if (before instanceof ObjectRef) before.dispose()
  things.set(name, made)
}

type Call = (...args: unknown[]) => ObjectRef & AsyncIterable<unknown>

function thing<T extends object>(name: string): T {
  const found = things.get(name)
  if (found === undefined) throw new Error(`the case has no ${name}`)
  return found as T
}

function argumentsOf(step: Step): unknown[] {
  const given = (step.things ?? []).map((name) => thing(name))
  const values = (step.args ?? []).map((each) => toValue(each, given))
  const keywords = Object.entries(step.kwargs ?? {})
  if (keywords.length === 0) return values
  return [
    ...values,
    kw(Object.fromEntries(keywords.map(([name, each]) => [name, toValue(each, given)]))),
  ]
}

function functionOf(step: Step): Call {
  const called = calledBy(step)
  if (step.options === undefined) return called as unknown as Call
  const { cpu, ...rest } = step.options
  const options = cpu === undefined ? rest : { ...rest, resources: { cpu } }
  return called.with(options) as Call
}

/** The task or method of a step. */
function calledBy(step: Step): { with(options: MethodCallOptions): unknown } {
  const { language, module } = step.callee
  if (step.task !== undefined) return languages[language].task(`${module}:${step.task}`)
  return thing<ActorHandle<AnyApi>>(step.on!)[step.method!]!
}

function actorOptions({ groups, ...rest }: StepOptions): ActorOptions {
  if (groups === undefined) return rest
  const limits = Object.entries(groups).map(([name, limit]) => [name, { limit }] as const)
  return { ...rest, concurrencyGroups: Object.fromEntries(limits) }
}

/** Remembers refs and handles of a value under new names, and says which. */
function described(value: unknown): Answer {
  const names: string[] = []
  const number = (each: unknown): number | undefined => {
    if (!(each instanceof ObjectRef) && connectionOf(each) === undefined) return undefined
    const name = `received ${++received}`
    things.set(name, each as object)
    return names.push(name) - 1
  }
  const tagged: Tagged = toTagged(value, number)
  return { value: tagged, things: names }
}

function failure(error: unknown): Answer {
  if (!(error instanceof ThornbackError)) throw error
  const causes: [string, string][] = []
  for (let cause = error.cause; cause instanceof RemoteException; cause = cause.cause) {
    causes.push([cause.name, cause.message])
  }
  return { error: { code: error.code, message: error.message, causes } }
}

const operations: Readonly<Record<Step['op'], (step: Step) => Promise<Answer> | Answer>> = {
  async init({ address }) {
    cluster = await init({ address: address! })
    return {}
  },
  async create(step) {
    const { language, module } = step.callee
    const options = actorOptions(step.options ?? {})
    const type = languages[language].actor(`${module}:${step.class!}`).options(options)
    remember(step.as!, await type.create(...argumentsOf(step)))
    return {}
  },
  async find(step) {
    remember(step.as!, await getActor(step.name!))
    return {}
  },
  async kill(step) {
    await kill(thing(step.on!))
    return {}
  },
  call(step) {
    remember(step.as!, functionOf(step)(...argumentsOf(step)))
    return {}
  },
  put(step) {
    remember(step.as!, put(argumentsOf(step)[0]))
    return {}
  },
  async get(step) {
    return described(await thing<ObjectRef>(step.from!).get({ timeoutMs: 20_000 }))
  },
  async stream(step) {
    const items: Tagged[] = []
    try {
      for await (const item of functionOf(step)(...argumentsOf(step))) {
        items.push(toTagged(item, () => undefined))
        if (items.length === step.limit) break
      }
    } catch (error) {
      return { items, ...failure(error) }
    }
    return { items }
  },
  async many(step) {
    const call = functionOf(step)
    const refs = Array.from({ length: step.count! }, (_, index) => call(index))
    const answer = described(await Promise.all(refs.map((ref) => ref.get())))
    for (const ref of refs) ref.dispose()
    return answer
  },
  async wait(step) {
    const refs = step.refs!.map((name) => thing<ObjectRef>(name))
    const { ready, pending } = await wait(refs, { count: step.count ?? 1, timeoutMs: 30_000 })
    return described([ready.length, pending.length])
  },
  cancel({ from, force = false, recursive = true }) {
    cancel(thing<ObjectRef>(from!), { force, recursive })
    return {}
  },
  async room({ on }) {
    await room(thing(on!))
    return {}
  },
  pending({ on }) {
    return described(pending(thing(on!)).calls)
  },
  reset() {
    for (const each of things.values()) if (each instanceof ObjectRef) each.dispose()
    things.clear()
    return {}
  },
  stats() {
    const { refsLive, objectsLive } = cluster.stats
    return { stats: { refs: refsLive, objects: objectsLive } }
  },
}

async function execute(step: Step): Promise<Answer> {
  try {
    return await operations[step.op](step)
  } catch (error) {
    return failure(error)
  }
}

/** Messages are JSON behind their length in four bytes, most significant first. */
async function serve(): Promise<void> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) {
      const end = 4 + bytes.readUInt32BE()
      const step = JSON.parse(bytes.toString('utf8', 4, end)) as Step
      bytes = bytes.subarray(end)
      const answer = Buffer.from(JSON.stringify(await execute(step)))
      const head = Buffer.alloc(4)
      head.writeUInt32BE(answer.length)
      process.stdout.write(Buffer.concat([head, answer]))
    }
  }
}

await serve()
await cluster!.shutdown()
