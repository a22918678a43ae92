// Node calling CPython by lines of JSON over a unix socket, a promise for each call: what one would write without any engine.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Answer,
  batchRate,
  check,
  echoRate,
  type Request,
  sum,
} from '../typescript/measure.ts'
import { serve } from '../typescript/protocol.ts'

const folder = mkdtempSync(join(tmpdir(), 'tbk-socket-'))
const path = join(folder, 'peer.sock')
const peer = spawn(
  process.env['THORNBACK_PYTHON'] ?? 'python3',
  [join(import.meta.dirname, 'peer.py'), path],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
await once(peer.stdout, 'data')
const socket = connect(path)
await once(socket, 'connect')

const waiting = new Map<number, (value: number) => void>()
let nextId = 0
let outgoing = ''
let rest = ''

/** The calls of one turn of the event loop go out together. */
function call(value: number): Promise<number> {
  const id = nextId++
  if (outgoing === '') queueMicrotask(flush)
  outgoing += `${JSON.stringify({ id, method: 'echo', args: [value] })}\n`
  return new Promise((resolve) => waiting.set(id, resolve))
}

function flush(): void {
  socket.write(outgoing)
  outgoing = ''
}

socket.setEncoding('utf8')
socket.on('data', (text: string) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()!
  for (const line of lines) {
    const { id, result } = JSON.parse(line) as { id: number; result: number }
    waiting.get(id)!(result)
    waiting.delete(id)
  }
})

async function inFlight({ seconds, parameters }: Request): Promise<Answer> {
  const window = Number(parameters['window'])
  return batchRate(seconds, async (round) => {
    const calls = Array.from({ length: window }, (_, n) => call(round + n))
    const results = await Promise.all(calls)
    check(sum(results) === window * round + (window * (window - 1)) / 2, 'a wrong sum')
    return window
  })
}

await serve({ 'one-at-a-time': ({ seconds }) => echoRate(seconds, call), 'in-flight': inFlight })
socket.destroy()
await once(peer, 'close')
rmSync(folder, { recursive: true, force: true })
