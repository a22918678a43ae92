// Processes are killed at random while many calls run: nothing is stuck, wrong or doubled, and all goes on soon.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { type ObjectRef, type ThornbackError } from 'thornback'
import { isRunning } from './support/program.ts'
import { callees, errorOf, withSession } from './support/session.ts'

const folder = mkdtempSync(join(tmpdir(), 'faults-'))
afterAll(() => rmSync(folder, { recursive: true }))

const kills = 100
/** Restarts wait longer each time: more of one actor in so short a time would say nothing about the others. */
const killsOfOneMax = 3
const budgetMs = 30_000
const stuckMs = 15_000

type Answer = readonly [answer: number, pid: number]
type Work = (n: number) => ObjectRef<Answer>

/** Numbers from 0 to 1, always the same ones for a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Somebody who is called all the time, and killed now and then. */
class Victim {
  readonly name: string
  readonly killsMax: number
  pid = 0
  kills = 0
  calls = 0
  refused = 0
  readonly wrong: unknown[] = []
  readonly recoveriesMs: number[] = []
  #killedAt: number | undefined
  #killed = new Set<number>()

  constructor(name: string, killsMax: number) {
    this.name = name
    this.killsMax = killsMax
  }

  /** It has been killed, and has not answered since. */
  get isDown(): boolean {
    return this.#killedAt !== undefined
  }

  get mayBeKilled(): boolean {
    return !this.isDown && this.kills < this.killsMax && this.pid !== 0 && isRunning(this.pid)
  }

  kill(): void {
    this.kills++
    this.#killed.add(this.pid)
    this.#killedAt = performance.now()
    process.kill(this.pid, 'SIGKILL')
  }

  /** Calls one after the other until it is over. `allowed` is what a call may fail with. */
  async load(work: Work, isOver: () => boolean, allowed?: string): Promise<void> {
    while (!isOver() && this.wrong.length < 100) {
      const n = this.calls++
      try {
        this.#take(n, await work(n).get({ timeoutMs: stuckMs }))
      } catch (error) {
        if ((error as ThornbackError).code !== allowed) this.wrong.push(error)
        else this.refused++
      }
    }
  }

  #take(n: number, [answer, pid]: Answer): void {
    if (answer !== 2 * n + 1) this.wrong.push([n, answer])
    if (this.#killed.has(pid)) return
    if (this.#killedAt !== undefined) this.recoveriesMs.push(performance.now() - this.#killedAt)
    this.#killedAt = undefined
    this.pid = pid
  }
}

function quantile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(part * values.length) - 1]!
}

describe(`${kills} random kills under load`, () => {
  // A CPU for each task at a time.
  withSession({ cpus: 4, logToDriver: false })

  test(
    'no call is stuck, no answer wrong, no incarnation doubled',
    { timeout: 90_000 },
    async () => {
      const seed = Number(process.env['THORNBACK_SEED'] ?? Date.now() % 1_000_000)
      const random = randomFrom(seed)
      const actors = await Promise.all(
        Array.from({ length: 16 }, async (_, index) => {
          const { name, language, module } = callees[index % 2]!
          const path = join(folder, `lives ${index}`)
          const type = language.actor(`${module('lives')}:Phoenix`)
          const actor = await type.options({ maxRestarts: -1 }).create(path)
          return { path, actor, victim: new Victim(`actor ${index} in ${name}`, killsOfOneMax) }
        }),
      )
      const tasks = callees.map(({ name, language, module }) => ({
        work: language.task(`${module('lives')}:work`),
        victim: new Victim(`tasks in ${name}`, kills),
      }))
      let isOver = false
      const over = (): boolean => isOver
      const loads = [
        ...actors.flatMap(({ actor, victim }, index) => [
          victim.load(actor.work!.with({ retries: 10 }) as unknown as Work, over),
          // Some are not retried.
          ...(index < 4
            ? [victim.load(actor.work! as unknown as Work, over, 'ACTOR_UNAVAILABLE')]
            : []),
        ]),
        ...tasks.flatMap(({ work, victim }) => [victim.load(work, over), victim.load(work, over)]),
      ]
      const victims = [...actors, ...tasks].map(({ victim }) => victim)
      const begin = performance.now()
      let done = 0
      try {
        while (done < kills && performance.now() - begin < budgetMs) {
          await pause(20 + random() * 200)
          const ready = victims.filter((victim) => victim.mayBeKilled)
          if (ready.length === 0) continue
          ready[Math.floor(random() * ready.length)]!.kill()
          done++
        }
        const down = (): string[] => victims.filter((each) => each.isDown).map(({ name }) => name)
        await expect.poll(down, { timeout: stuckMs }).toEqual([])
      } finally {
        isOver = true
      }
      await Promise.all(loads)

      const recoveries = victims.flatMap((victim) => victim.recoveriesMs)
      const calls = victims.reduce((sum, victim) => sum + victim.calls, 0)
      const refused = victims.reduce((sum, victim) => sum + victim.refused, 0)
      const [p50, p95, max] = [0.5, 0.95, 1].map((part) => quantile(recoveries, part).toFixed(0))
      writeSync(
        1,
        `seed ${seed}: ${done} kills, ${calls} calls, ${refused} of those without retries failed; ` +
          `answers again after ${p50} ms (p95 ${p95} ms, at most ${max} ms)\n`,
      )
      for (const victim of victims) expect(victim.wrong, victim.name).toEqual([])
      for (const { path, victim } of actors) {
        const lives = readFileSync(path, 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
        expect(lives.map(([life]) => Number(life))).toEqual(lives.map((_, index) => index + 1))
        expect(lives).toHaveLength(victim.kills + 1)
        expect(lives.filter(([, pid]) => isRunning(Number(pid)))).toHaveLength(1)
      }
      expect(done).toBe(kills)
      expect(quantile(recoveries, 0.95)).toBeLessThan(2_000)
    },
  )
})

describe.each(callees)('a crash loop in $name', ({ name, language, module }) => {
  withSession({ cpus: 2, logToDriver: false })
  const Phoenix = language.actor(`${module('lives')}:Phoenix`)

  test('ends after five lives of less than a second, and says so', async () => {
    const path = join(folder, `loop in ${name}`)
    const actor = await Phoenix.options({ maxRestarts: -1 }).create(path, 100)
    const hanging = await errorOf(() => actor.hang!())
    expect(hanging).toMatchObject({ code: 'ACTOR_UNAVAILABLE' })
    const lines = (): number => readFileSync(path, 'utf8').split('\n').length - 1
    await expect.poll(lines, { timeout: 15_000 }).toBe(5)
    const last = await errorOf(() => actor.hang!())
    expect(['ACTOR_UNAVAILABLE', 'ACTOR_DIED']).toContain(last.code)
    const error = await errorOf(() => actor.pid!())
    expect(error).toMatchObject({ code: 'ACTOR_DIED' })
    expect(error.message).toMatch(/5 times|crash/)
    await pause(1_500)
    expect(lines()).toBe(5)
    expect(existsSync(path)).toBe(true)
  })
})
