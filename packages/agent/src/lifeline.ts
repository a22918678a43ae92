import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { ThornbackError } from './errors.ts'

/** What the driver reads when the agent has started, or has not. */
export type Report =
  | {
      readonly socket: string
      readonly session: string
      readonly folder: string
      readonly pid: number
    }
  | { readonly error: { readonly code: string; readonly message: string } }

/** One line; the driver waits for it. */
export function report(descriptor: number, message: Report): void {
  writeSync(descriptor, `${JSON.stringify(message)}\n`)
}

export function reportOf(error: unknown): Report {
  const { message } = error as Error
  return { error: { code: error instanceof ThornbackError ? error.code : 'INTERNAL', message } }
}

/** Calls back once, when the driver's end of the lifeline is gone. */
export function watchLifeline(descriptor: number, gone: () => void): Socket {
  const socket = new Socket({ fd: descriptor, readable: true, writable: false })
  socket.on('error', () => {})
  socket.once('close', gone)
  socket.resume()
  return socket
}
