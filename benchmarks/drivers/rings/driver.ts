// Node and CPython exchanging numbers over two bare rings, a promise for each call: what no engine between them could beat.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from '../../src/rings.ts'
import { serve } from '../typescript/protocol.ts'
import { type Answer, batchRate, echoRate, type Request } from '../typescript/measure.ts'

interface NodeRing {
  open(ids: Uint32Array, values: Float64Array): number
  put(id: number, value: number): boolean
  take(): number
  publish(): void
}

const lastCall = 0xffffffff
const ids = new Uint32Array(4096)
const values = new Float64Array(4096)
const ring = createRequire(import.meta.url)(join(build, 'node_ring.node')) as NodeRing
const file = ring.open(ids, values)
const peer = spawn(
  process.env['THORNBACK_PYTHON'] ?? 'python3',
  [join(import.meta.dirname, 'peer.py'), build, '3'],
  { stdio: ['ignore', 'inherit', 'inherit', file] },
)

const waiting: ((value: number) => void)[] = []

function call(id: number, value: number): Promise<number> {
  const promise = new Promise<number>((resolve) => {
    waiting[id] = resolve
  })
  while (!ring.put(id, value)) settle()
  return promise
}

function settle(): number {
  const taken = ring.take()
  for (let at = 0; at < taken; at++) waiting[ids[at]!]!(values[at]!)
  return taken
}

async function oneAtATime({ seconds }: Request): Promise<Answer> {
  return echoRate(seconds, (n) => {
    const answer = call(0, n)
    settle()
    return answer
  })
}

async function inFlight({ seconds, parameters }: Request): Promise<Answer> {
  const window = Number(parameters['window'])
  return batchRate(seconds, async (round) => {
    const answers: Promise<number>[] = []
    for (let id = 0; id < window; id++) answers.push(call(id, round + id))
    for (let missing = window; missing > 0;) missing -= settle()
    const sum = (await Promise.all(answers)).reduce((total, value) => total + value, 0)
    if (sum !== window * round + (window * (window - 1)) / 2) throw new Error('a wrong sum')
    return window
  })
}

await serve({ 'one-at-a-time': oneAtATime, 'in-flight': inFlight })
ring.put(lastCall, 0)
ring.publish()
await new Promise((resolve) => peer.once('close', resolve))
