// The driver's side of the protocol: a line of JSON in, a line of JSON out, until the input ends.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Answer, Request } from './measure.ts'

export type Action = (request: Request) => Promise<Answer>

/** Answers requests one after the other; resolves when there will be no more. */
export async function serve(actions: Readonly<Record<string, Action>>): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    const request = JSON.parse(line) as Request
    const answer = await answerTo(request, actions[request.does])
    writeSync(1, `${JSON.stringify(answer)}\n`)
  }
}

async function answerTo(request: Request, action: Action | undefined): Promise<unknown> {
  if (action === undefined) return { error: `this driver does not know "${request.does}"` }
  try {
    return await action(request)
  } catch (error) {
    return { error: (error as Error).stack ?? String(error) }
  }
}
