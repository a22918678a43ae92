// The service: a named proxy in TypeScript that gives each request a trainer of its own in Python.
import { defineActor, python } from 'thornback'

/** The size of the data, the number of steps of the loop, and the trainer's process. */
export type Plan = Record<'samples' | 'features' | 'classes' | 'steps' | 'pid', number>
export type Score = { model: string; fold: number; accuracy: number }
export type Row = { model: string; mean: number; std: number; folds: Float64Array }
/** The models from best to worst, and bytes that tasks read without a copy. */
type Outcome = { ranking: Row[]; bytesShared: number }
export type Result = Plan & Outcome & { seconds: number }

/** What a client is told while its request runs. */
export type Progress = { plan: Plan } | { score: Score } | { result: Result }
export type Place = 'workers' | 'one process'

/** trainer.py as TypeScript sees it. */
interface TrainerApi {
  describe(): Plan
  search(): AsyncIterable<Score>
  search_alone(): AsyncIterable<Score>
  result(): Outcome
}

const Trainer = python.actor<TrainerApi, [dataset: string]>('trainer:Trainer')
const warmUp = python.task<() => string>('trainer:warm_up')

export class ProxyActor {
  /** Lets so many workers import scikit-learn, and returns its version. */
  async start(workers: number): Promise<string> {
    const [version] = await Promise.all(Array.from({ length: workers }, () => warmUp()))
    return version!
  }

  /** One request: a trainer is made for it, and ends with it. */
  async *train(dataset: string, place: Place): AsyncGenerator<Progress> {
    await using trainer = await Trainer.create(dataset)
    const plan = await trainer.describe()
    yield { plan }
    const begin = performance.now()
    const scores = place === 'workers' ? trainer.search() : trainer.search_alone()
    for await (const score of scores) yield { score }
    const seconds = (performance.now() - begin) / 1000
    yield { result: { ...plan, ...(await trainer.result()), seconds } }
  }
}

export const Proxy = defineActor(import.meta, 'Proxy', ProxyActor)
