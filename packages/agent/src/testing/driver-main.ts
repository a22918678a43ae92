// A driver for tests that kill it: starts an agent, attaches, prints the folder and waits.
import { StartedAgent } from './started-agent.ts'

const agent = await StartedAgent.attached(JSON.parse(process.argv[2] ?? '{}') as object)
process.stdout.write(`${String((await agent.line)['folder'])} ${agent.child.pid}\n`)
setInterval(() => {}, 1_000)
