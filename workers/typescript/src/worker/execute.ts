import { makeError } from '../errors/index.ts'
import { isGenerator, iteratorOf } from '../runtime/generators.ts'
import type { IncomingCall } from '../runtime/incoming-call.ts'
import { noStream } from '../runtime/object-stream.ts'
import { CallState, type HostedActor, runningCalls } from '../sdk/context.ts'

/**
 * Runs user code for a call and replies with what becomes of it: a value, what an async function resolves to, or the items of
 * a generator. Starts before it returns.
 */
export function execute(
  call: IncomingCall,
  actor: HostedActor | undefined,
  run: (args: unknown[]) => unknown,
): void {
  const state = new CallState(actor)
  call.attachment = state
  call.onCancel = () => state.context?.cancel()
  runningCalls.run(call, start, call, run)
}

function start(call: IncomingCall, run: (args: unknown[]) => unknown): void {
  try {
    const result = run(call.args)
    call.args = []
    if (isThenable(result)) finishLater(call, result)
    else finish(call, result)
  } catch (error) {
    endWith(call, error)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isObject = typeof value === 'object' && value !== null
  return isObject && typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
}

function finishLater(call: IncomingCall, result: PromiseLike<unknown>): void {
  result.then(
    (value) => finish(call, value),
    (error: unknown) => endWith(call, error),
  )
}

function finish(call: IncomingCall, result: unknown): void {
  if (call.isStream) void produce(call, result)
  else if (isGenerator(result)) void collect(call, result)
  else call.reply(result)
}

/** The name by which the user knows what was called. */
export function nameOf(call: IncomingCall): string {
  return call.function.slice(call.function.lastIndexOf(':') + 1)
}

/** Sends the items of an iterable as there is room for them. */
async function produce(call: IncomingCall, result: unknown): Promise<void> {
  const iterator = iteratorOf(result)
  if (iterator === undefined) {
    call.fail(noStream(nameOf(call)))
    return
  }
  let wake = (): void => undefined
  const room = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  const tellContext = call.onCancel
  call.onCredit = () => wake()
  call.onCancel = () => {
    tellContext?.()
    wake()
  }
  try {
    for (;;) {
      const next = iterator.next()
      const step = next instanceof Promise ? await next : next
      if (!('done' in step) || step.done === true) break
      const item = isThenable(step.value) ? await step.value : step.value
      if (!(await send(call, item, room))) {
        await iterator.return?.()
        break
      }
    }
    call.reply()
  } catch (error) {
    endWith(call, error)
  }
}

const collectedAtOnce = 1_000

/** Replies with all items of a generator as one list: its caller did not ask for a stream. */
async function collect(call: IncomingCall, generator: Generator | AsyncGenerator): Promise<void> {
  const items: unknown[] = []
  try {
    for await (const item of generator) {
      if (call.isCancelled) break
      // One that never ends must not keep the thread from learning that it was cancelled.
      if (items.push(item) % collectedAtOnce === 0) await new Promise(setImmediate)
    }
    if (call.isCancelled) call.fail(cancelledError(call))
    else call.reply(items)
  } catch (error) {
    endWith(call, error)
  }
}

/** False if nobody wants further items. An item that cannot be sent ends the stream with the reason. */
async function send(
  call: IncomingCall,
  item: unknown,
  room: () => Promise<void>,
): Promise<boolean> {
  try {
    while (!call.isCancelled && !call.item(item)) await room()
  } catch (error) {
    call.fail(error)
    return false
  }
  return !call.isCancelled
}

/** The call has thrown; once it was cancelled, whatever it throws is how it ends. */
function endWith(call: IncomingCall, error: unknown): void {
  if (call.isWanted) call.throw(error)
  else call.fail(cancelledError(call))
}

/** The error for a call that was cancelled. */
export function cancelledError(call: IncomingCall): Error {
  return makeError('CANCELLED', { function: nameOf(call) })
}
