/**
 * Thornback for TypeScript: tasks and actors in TypeScript, Python and other languages, called as if they were local.
 *
 * @module
 */

export { type ActorHandle } from './sdk/actor-handle.ts'
export { ActorClass } from './sdk/actor-class.ts'
export { Cluster } from './sdk/cluster.ts'
export { type ActorIdentity, Context, context } from './sdk/context.ts'
export { init, type InitOptions } from './sdk/init.ts'
export {
  cancel,
  type CancelOptions,
  get,
  getActor,
  type GetActorOptions,
  kill,
  put,
  type Values,
} from './sdk/operations.ts'
export { wait, type WaitOptions, type WaitResult } from './sdk/wait.ts'
export type {
  ActorOptions,
  ConcurrencyGroup,
  HandleOptions,
  MethodCallOptions,
  Resources,
  TaskCallOptions,
  TaskOptions,
  WorkerEnvironment,
} from './sdk/options.ts'
export { type Language, python, typescript } from './sdk/other-languages.ts'
export { defineActor, defineTask } from './sdk/registry.ts'
export { pending, room } from './sdk/room.ts'
export type {
  AnyApi,
  BoundCall,
  CallArguments,
  CallResult,
  RemoteMethod,
  RemoteMethods,
} from './sdk/remote-types.ts'
export type { Task } from './sdk/task.ts'
export type { CallOptions } from './runtime/callable.ts'
export type { ErrorName, RetryOptions } from './runtime/call-options.ts'
export type { FlowOptions, Pending } from './runtime/flow.ts'
export { type GetOptions, ObjectRef } from './runtime/object-ref.ts'
export { ObjectStream } from './runtime/object-stream.ts'
export {
  type Complex,
  type Dtype,
  Duration,
  Float,
  float,
  Keywords,
  kw,
  NdArray,
  type NdArrayOptions,
  type NdItem,
  type Nested,
  PlainClockTime,
  PlainDate,
  PlainDateTime,
  PlainTime,
  Tuple,
  tuple,
  type TypedArray,
} from './codec/index.ts'
export * from './errors/generated.ts'
export { RemoteException } from './errors/remote-exception.ts'
export { type ErrorKind, type Fault, ThornbackError } from './errors/thornback-error.ts'
