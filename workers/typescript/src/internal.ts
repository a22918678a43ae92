// What other packages of the workspace use of this one: the node agent serves calls as an endpoint. Not for users, and not
// stable.
//
//     const node = Endpoint.startNode({ socketPath }, { role: Role.agent, socketPath, language: 'typescript' })
//     node.events.call = (call) => call.reply(...)          // call.function, call.caller, call.args, call.fail(error)
//     node.events.peerJoined = ({ id, pid, text }) => ...   // text is "role language token"
//     await node.call(node.callable(node.native.targetEndpoint(3, 0), 'worker::exit'), [])
//     node.outbox.keepAlive(1)                              // as long as the process shall serve

export { Endpoint } from './runtime/endpoint.ts'
export type { EndpointEvents, PeerFields } from './runtime/delivery.ts'
export { IncomingCall } from './runtime/incoming-call.ts'
export { ObjectRef } from './runtime/object-ref.ts'
export { ObjectStream } from './runtime/object-stream.ts'
export { type AttachOptions, type NodeOptions, Role } from './native/binding.ts'
