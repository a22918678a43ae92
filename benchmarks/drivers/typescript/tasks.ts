import { get, type ObjectRef, wait } from 'thornback'
import type { Bench } from './bench.ts'
import { burst } from './calls.ts'
import { type Answer, batchRate, check, echoRate, repeat, type Request, sum } from './measure.ts'
import type { Action } from './protocol.ts'

type Echo = (value: number) => ObjectRef<number>

async function echoTask(bench: Bench): Promise<Echo> {
  await bench.open()
  return bench.task<(value: number) => number>('echo')
}

async function waitForAll(bench: Bench, { seconds, parameters }: Request): Promise<Answer> {
  const echo = await echoTask(bench)
  const count = Number(parameters['refs'])
  const step = parameters['isOneByOne'] ? 1 : count
  const times = await repeat(seconds, async () => {
    const start = performance.now()
    const refs = Array.from({ length: count }, (_, n) => echo(n))
    let pending: readonly ObjectRef<number>[] = refs
    // All that are ready come at once, however few were waited for.
    while (pending.length > 0) ({ pending } = await wait(pending, { count: step }))
    const time = performance.now() - start
    check(sum(await get(refs)) === (count * (count - 1)) / 2, 'a wrong sum')
    return time
  })
  return { value: (times.length * 1000) / sum(times), checked: times.length * count }
}

export function taskActions(bench: Bench): Record<string, Action> {
  return {
    'task-one-at-a-time': async ({ seconds }) => echoRate(seconds, await echoTask(bench)),
    'tasks-in-flight': async ({ seconds, parameters }) => {
      const echo = await echoTask(bench)
      return batchRate(seconds, burst([echo], Number(parameters['window'])))
    },
    wait: (request) => waitForAll(bench, request),
  }
}
