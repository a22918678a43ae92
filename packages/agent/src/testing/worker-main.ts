// A worker in its smallest form, for tests of the agent: its actors do what their first argument says.
import { Endpoint, type IncomingCall, Role } from '../../../../workers/typescript/src/internal.ts'

const endpoint = Endpoint.attach({
  role: Role.worker,
  socketPath: process.env['THORNBACK_SOCKET']!,
  token: process.env['THORNBACK_TOKEN']!,
  language: 'typescript',
})

type Construction = [
  instance: number,
  id: unknown,
  className: string,
  args: [[mode: string, data?: Uint8Array], object],
  options: { incarnation: number; gpus?: number[] },
]

/** What the last constructor was given. */
let constructed: object = {}

function createActor(call: IncomingCall): void {
  const [instance, , className, args, options] = call.args as Construction
  const [mode, data] = args[0]
  const { incarnation, gpus } = options
  constructed = { incarnation, gpus, bytes: data?.length, last: data?.at(-1) }
  console.log(`actor ${className} is instance ${instance}`)
  if (mode === 'fail' || (mode === 'fail again' && incarnation > 1)) {
    throw new TypeError('the constructor fails')
  }
  if (mode === 'exit') process.exit(4)
  call.reply()
}

endpoint.events.call = (call) => {
  try {
    if (call.function === 'worker::create_actor') createActor(call)
    else if (call.function === 'method::exit') process.exit(call.args[0] as number)
    else if (call.function === 'method::pid') call.reply(process.pid)
    else if (call.function === 'method::constructed') call.reply(constructed)
    else if (call.function === 'worker::exit') {
      call.reply()
      endpoint.close()
      process.exit(0)
    } else call.fail(new Error(`no function ${call.function}`))
  } catch (error) {
    call.throw(error)
  }
}
endpoint.events.shutdown = () => process.exit(0)
endpoint.outbox.keepAlive(1)
