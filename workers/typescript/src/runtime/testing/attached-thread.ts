// A worker thread that attaches an endpoint, makes a call and says so; it ends with the endpoint attached.

import { parentPort, workerData } from 'node:worker_threads'
import { Role } from '../../native/binding.ts'
import { Endpoint } from '../endpoint.ts'

const { socketPath, stays } = workerData as { socketPath: string; stays: boolean }
const endpoint = Endpoint.attach({ role: Role.worker, socketPath, language: 'typescript' })
const callable = endpoint.callable(endpoint.native.targetEndpoint(0, 1), 'echo')
const big = (await endpoint.call(callable, [new Float64Array(100_000).fill(3)])) as Float64Array
parentPort?.postMessage(big[99_999])
if (stays) endpoint.outbox.keepAlive(1)
