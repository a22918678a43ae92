// What waits, fails, dies and is cancelled, in TypeScript. Every language has a module of this content. A `path` is where the
// function leaves marks: `.started`, `.cancelled`, one byte for each attempt; `.release` lets it go on.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import {
  type ActorHandle,
  type AnyApi,
  context,
  type ObjectRef,
  python,
  type ThornbackError,
} from 'thornback'
import { currentSession } from '../../../workers/typescript/src/sdk/session.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Which attempt of a call this is, from 1 on. */
function attempt(path: string): number {
  appendFileSync(path, '.')
  return readFileSync(path).length
}

/** Raises in the first attempts, and succeeds in the given one. */
export function failUntil(path: string, last: number): number {
  const number = attempt(path)
  if (number < last) throw new RangeError(`attempt ${number}`)
  return number
}

/** Ends its process in the first attempts. */
export function dieUntil(path: string, last: number): number {
  const number = attempt(path)
  if (number < last) process.kill(process.pid, 'SIGKILL')
  return number
}

/** Tells that it runs, once more. */
function start(path: string): void {
  appendFileSync(`${path}.started`, '.')
}

/** How often something has been started. */
export function attempts(path: string): number {
  return readFileSync(`${path}.started`).length
}

/** A task that runs until it is released or cancelled. */
export async function hold(path: string): Promise<string> {
  const { signal } = context()
  start(path)
  try {
    while (!existsSync(`${path}.release`)) {
      signal.throwIfAborted()
      await pause(2)
    }
  } catch (error) {
    writeFileSync(`${path}.cancelled`, '')
    throw error
  }
  writeFileSync(`${path}.done`, '')
  return 'released'
}

/** The same, without ever awaiting. */
export function holdFast(path: string): string {
  start(path)
  while (!existsSync(`${path}.release`)) {
    if (!context().isCancelled) continue
    writeFileSync(`${path}.cancelled`, '')
    throw new Error('cancelled')
  }
  return 'released'
}

/** Computes and listens to nobody. */
export function spin(path: string): never {
  start(path)
  for (;;);
}

/** `hold` behind so many calls, each in the other language. */
export async function relay(path: string, hops: number): Promise<string> {
  if (hops === 0) return hold(path)
  return python.task<(path: string, hops: number) => string>('unsteady:relay')(path, hops - 1)
}

/** The code of the error of a call that gives up after so many milliseconds, inside this one. */
export async function limitOfChild(path: string, ms: number): Promise<string> {
  const child = python.task<(path: string) => string>('unsteady:hold')
  try {
    return await child.with({ timeoutMs: ms })(path)
  } catch (error) {
    // Its caller is answered meanwhile if it has no more time, either.
    await pause(500)
    return (error as ThornbackError).code
  }
}

/** Is cancelled and returns nevertheless. */
export async function goOn(path: string): Promise<string> {
  await hold(path).catch(() => undefined)
  return 'went on'
}

export function note(path: string, text: string): void {
  appendFileSync(path, text)
}

/** Ends the process of an actor and calls it again. */
export async function throughRestart(actor: ActorHandle<AnyApi>): Promise<unknown> {
  try {
    await actor.die!()
  } catch (error) {
    return [(error as ThornbackError).code, await actor.life!()]
  }
  return 'it lives'
}

/** The plain one of two actors; in TypeScript there is no difference. */
export class Worker {
  #now = 0
  #most = 0
  readonly #notes: unknown[] = []

  hold(path: string): Promise<string> {
    return hold(path)
  }

  relay(path: string, hops: number): Promise<string> {
    return relay(path, hops)
  }

  failUntil(path: string, last: number): number {
    return failUntil(path, last)
  }

  dieUntil(path: string, last: number): number {
    return dieUntil(path, last)
  }

  die(): void {
    process.kill(process.pid, 'SIGKILL')
  }

  /** How often it was restarted, and whether. */
  life(): unknown[] {
    const { restartCount, wasRestarted } = context()
    return [restartCount, wasRestarted]
  }

  async nap(value: number): Promise<number> {
    this.#most = Math.max(this.#most, ++this.#now)
    await pause(20)
    this.#now--
    return value
  }

  /** How many naps there were at the same time. */
  most(): number {
    return this.#most
  }

  note(value: unknown): number {
    return this.#notes.push(value)
  }

  notes(): unknown[] {
    return this.#notes
  }

  /** Calls the other actor, which calls this one; what it is told when that can never end. */
  async bounce(
    other: ActorHandle<AnyApi>,
    self: ActorHandle<AnyApi>,
    levels: number,
  ): Promise<unknown> {
    if (levels === 0) return 'the bottom'
    const below: ObjectRef = other.bounce!(self, other, levels - 1)
    try {
      return await below
    } catch (error) {
      return `${(error as Error).name} ${(error as ThornbackError).code}: ${(error as Error).message}`
    }
  }

  /** How many objects this process holds in the store. */
  objects(): number {
    return currentSession('stats').endpoint.stats.objectsLive
  }
}

export class AsyncWorker extends Worker {}
