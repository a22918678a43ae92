// A client of examples/automl that prints what the service answers, as JSON.
import { join } from 'node:path'
import { getActor, init } from 'thornback'
import { Proxy, type ProxyActor, type Result } from '../../../examples/automl/service.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'examples', 'automl')
await using _cluster = await init({ sysPath: [folder] })
await Proxy.options({ name: 'proxy' }).create()
const proxy = await getActor<ProxyActor>('proxy')

const results: Record<string, Result> = {}
for (const dataset of ['digits', 'breast cancer']) {
  for await (const progress of proxy.train(dataset, 'workers')) {
    if ('result' in progress) results[dataset] = progress.result
  }
}
const plain = (_key: string, value: unknown): unknown =>
  value instanceof Float64Array ? [...value] : value
console.log(JSON.stringify(results, plain))
