// A client of the AutoML service: npm start, or npm start -- digits
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ActorHandle, getActor, init } from 'thornback'
import { type Place, Proxy, type ProxyActor, type Result } from './service.ts'
import { fact, heading, leaderboard, percent, progressBar } from './terminal.ts'

/** Sends one request to the proxy, and shows how far it is. */
async function train(
  proxy: ActorHandle<ProxyActor>,
  dataset: string,
  place: Place,
): Promise<Result> {
  let step = (_text: string): void => {}
  for await (const progress of proxy.train(dataset, place)) {
    if ('result' in progress) return progress.result
    if ('plan' in progress) {
      const { samples, features, classes, steps } = progress.plan
      const sizes = `${samples} samples, ${features} features, ${classes} classes`
      if (place === 'workers') heading(dataset, sizes)
      step = progressBar(place, steps)
      step('')
    } else {
      step(`${progress.score.model} ${percent(progress.score.accuracy)}`)
    }
  }
  throw new Error('the proxy gave no result')
}

/** Waits until processes have ended; fails after five seconds. */
async function ended(pids: number[]): Promise<void> {
  const alive = () => pids.filter((pid) => existsSync(`/proc/${pid}`))
  for (let tries = 0; tries < 250 && alive().length > 0; tries++) await sleep(20)
  assert.deepEqual(alive(), [], 'these processes should have ended')
}

/** One session; returns the processes that worked in it. */
async function demonstrate(): Promise<number[]> {
  await using cluster = await init()
  const { cpus } = (await cluster.nodeInfo()) as { cpus: number }
  await Proxy.options({ name: 'proxy' }).create()
  const proxy = await getActor<ProxyActor>('proxy')
  const version = await proxy.start(cpus)
  heading('Thornback AutoML', `${cpus} workers, scikit-learn ${version}`)

  const [, , ...chosen] = process.argv
  for (const dataset of chosen.length > 0 ? chosen : ['digits', 'breast cancer']) {
    const result = await train(proxy, dataset, 'workers')
    const alone = await train(proxy, dataset, 'one process')
    assert.deepEqual(result.ranking, alone.ranking, 'both should give the same scores')
    await ended([result.pid, alone.pid])
    leaderboard(result.ranking)
    const { model, mean, std } = result.ranking[0]!
    const times = (alone.seconds / result.seconds).toFixed(1)
    const megabytes = (result.bytesShared / 1e6).toFixed(1)
    fact('best model', `${model}: ${percent(mean)} ± ${percent(std)}`)
    fact('wall time', `${result.seconds.toFixed(1)} s, ${times} times as fast as one process`)
    fact('scores', 'the same as in one process, to the last digit')
    fact('shared memory', `${megabytes} MB of arrays read by ${result.steps} tasks without a copy`)
    fact('trainer', `ended with its process ${result.pid}`)
  }
  const { pid, workers } = (await cluster.nodeInfo()) as { pid: number; workers: { pid: number }[] }
  return [pid, ...workers.map((worker) => worker.pid)]
}

const pids = await demonstrate()
await ended(pids)
heading('session', `ended; none of its ${pids.length} processes is left`)
