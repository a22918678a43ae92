// A driver for tests that kill it: a worker computes for it without end. Prints the session's folder.
import { join } from 'node:path'
import { callAgent, StartedAgent } from './started-agent.ts'

const agent = new StartedAgent()
const driver = await agent.attach()
const [worker] = (await callAgent(driver, 'agent::lease', [{ language: 'typescript' }])) as number[]
const target = driver.native.targetEndpoint(worker!, 0)
const task = `typescript:${join(import.meta.dirname, 'tasks.ts')}`
await driver.call(driver.callable(target, `${task}:square`), [1]).get()
const { folder } = (await agent.line) as { folder: string }
void driver.call(driver.callable(target, `${task}:spin`), [join(folder, 'spins')]).get()
process.stdout.write(`${folder}\n`)
