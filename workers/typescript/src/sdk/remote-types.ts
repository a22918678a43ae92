// How the types of functions and classes become the types of calls to them.

import type { Keywords } from '../codec/index.ts'
import type { CallOptions } from '../runtime/callable.ts'
import type { ObjectRef } from '../runtime/object-ref.ts'
import type { ObjectStream } from '../runtime/object-stream.ts'
import type { MethodCallOptions } from './options.ts'

type IsAny<T> = 0 extends 1 & T ? true : false
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- matches every function
export type AnyFunction = (...args: any[]) => unknown
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- matches every class
export type AnyClass = abstract new (...args: any[]) => unknown

/** Arguments of a call: each may be given as a value or as a ref to one; the last may be `kw({...})`. */
export type CallArguments<A extends readonly unknown[]> =
  | { [K in keyof A]: A[K] | ObjectRef<A[K]> }
  | [...positional: unknown[], keywords: Keywords<object>]

/** What iterating yields, for results that are read as a stream; never for others. */
type ItemOf<R> =
  R extends AsyncIterable<infer T>
    ? T
    : R extends Iterator<infer T, infer _Return, infer _Next> & Iterable<unknown>
      ? T
      : never

/** The result of a call: an ObjectStream for generators and async iterables, an ObjectRef for everything else. */
export type CallResult<R> =
  IsAny<R> extends true
    ? // eslint-disable-next-line @typescript-eslint/no-explicit-any -- nothing is known
      ObjectRef<any> & AsyncIterable<any>
    : [ItemOf<R>] extends [never]
      ? ObjectRef<Awaited<R>>
      : ObjectStream<ItemOf<R>>

/** A method or task with options for its calls. */
export type BoundCall<F extends AnyFunction> = (
  ...args: CallArguments<Parameters<F>>
) => CallResult<ReturnType<F>>

/** A method of an actor: call it for an ObjectRef or ObjectStream. */
export interface RemoteMethod<F extends AnyFunction> extends BoundCall<F> {
  /** The method with options for the call: `scorer.score.with({ timeoutMs: 500 })(x)`. */
  with(options: MethodCallOptions & CallOptions): BoundCall<F>
  /** Calls the method as a generator. Only needed where the types do not tell that it is one. */
  stream(...args: CallArguments<Parameters<F>>): ObjectStream<StreamItem<F>>
}

type StreamItem<F extends AnyFunction> =
  IsAny<ReturnType<F>> extends true
    ? // eslint-disable-next-line @typescript-eslint/no-explicit-any -- nothing is known
      any
    : [ItemOf<ReturnType<F>>] extends [never]
      ? unknown
      : ItemOf<ReturnType<F>>

/** For actors of which nothing is known at compile time. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- nothing is known
export type AnyApi = Record<string, (...args: any[]) => any>

/** The methods of a class or interface as calls; fields have no place in it. */
export type RemoteMethods<Api> = {
  readonly [K in keyof Api as Api[K] extends AnyFunction ? K : never]: Api[K] extends AnyFunction
    ? RemoteMethod<Api[K]>
    : never
}
