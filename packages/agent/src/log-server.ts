import { createServer, type Server, type Socket } from 'node:net'
import type { OutputSink, OutputStream } from './host.ts'

const headerBytesMax = 256

/**
 * The socket to which forked workers connect their stdout and stderr. A connection begins with one line of JSON,
 * `{"token", "stream"}`; everything after it is output. One that says nothing asks whether the session still runs.
 */
export function listenForLogs(path: string, sink: OutputSink): Promise<Server> {
  const server = createServer((socket) => readHeader(socket, sink))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve(server))
  })
}

function readHeader(socket: Socket, sink: OutputSink): void {
  let seen = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk])
    const end = seen.indexOf(10)
    if (end < 0 && seen.length <= headerBytesMax) return
    socket.off('data', onData)
    socket.pause()
    const header = end < 0 ? null : parseHeader(seen.toString('utf8', 0, end))
    if (!header) {
      socket.destroy()
      return
    }
    if (end + 1 < seen.length) socket.unshift(seen.subarray(end + 1))
    sink.connect(header.token, header.stream, socket)
  }
  socket.on('error', () => {})
  socket.on('data', onData)
  // The writer's end is all there is: without this a closed one would stay half open.
  socket.on('end', () => socket.end())
}

function parseHeader(line: string): { token: string; stream: OutputStream } | null {
  try {
    const { token, stream } = JSON.parse(line) as Record<string, unknown>
    if (typeof token !== 'string' || (stream !== 'stdout' && stream !== 'stderr')) return null
    return { token, stream }
  } catch {
    return null
  }
}
