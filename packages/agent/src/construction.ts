import type { WorkerEnvironment } from './environment.ts'
import type { Amounts } from './resource-amounts.ts'

/** What a worker needs to construct an actor: the same for each incarnation. */
export interface Construction {
  readonly environment: WorkerEnvironment
  readonly resources: Amounts
  /** May live in a process together with other actors that share. */
  readonly share: boolean
  /** A ref to `[positional, keywords]`, passed on unread; as long as it is kept, its value is. */
  readonly args: unknown
  /** The creator's options, a map or an object, passed on with what the agent adds. */
  readonly options: unknown
}

/** The options that a worker gets: the creator's, which incarnation this is, and the GPUs if the actor has any. */
export function workerOptions(
  options: unknown,
  incarnation: number,
  gpus: readonly number[],
): unknown {
  const added = gpus.length > 0 ? { incarnation, gpus } : { incarnation }
  return options instanceof Map
    ? new Map<unknown, unknown>([...(options as Map<unknown, unknown>), ...Object.entries(added)])
    : { ...(options as object | null), ...added }
}

/** Gives up the arguments: whoever owns them need not keep them for this actor. */
export function giveUpArguments(args: unknown): void {
  if (typeof args === 'object' && args !== null && Symbol.dispose in args) {
    ;(args as Disposable)[Symbol.dispose]()
  }
}
