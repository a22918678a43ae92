// Many at once, calls that call back, and a worker that dies among them: each call has one outcome.

import { describe, expect, test } from 'vitest'
import { type ActorHandle, type AnyApi, init, kill, python, type Task, typescript } from 'thornback'
import { isRunning } from './support/program.ts'
import { callees, options, withSession } from './support/session.ts'

describe('calls that call back', () => {
  withSession({ cpus: 2 })

  test('tasks of TypeScript and Python call each other, deeper than there are CPUs', async () => {
    const expected = [
      'typescript',
      'python',
      'typescript',
      'python',
      'typescript',
      'python',
      'typescript',
    ]
    expect(await typescript.task('./things.ts:descend')(6)).toBe(expected.join(' '))
    expect(await python.task('things:descend')(5)).toBe(expected.slice(1).join(' '))
  })

  test('an actor of each language calls the other, which calls it, ten levels deep', async () => {
    const left = await typescript.actor('./things.ts:Thing').create()
    const right = await python.actor('things:Bouncer').create()
    expect(await left.bounce!(right, left, 10)).toBe(10)
    expect(await right.bounce!(left, right, 9)).toBe(9)
    await Promise.all([kill(left), kill(right)])
  })
})

describe('many', () => {
  withSession({ cpus: 2 })

  test('50 actors live, answer, and end', { timeout: 60_000 }, async () => {
    const made = Array.from({ length: 50 }, (_, index) => {
      const { language, module } = callees[index % 2]!
      return language.actor(`${module('things')}:Thing`).create(index)
    })
    const actors = await Promise.all(made)
    const starts = await Promise.all(actors.map((actor) => actor.start!()))
    expect(starts).toEqual(actors.map((_, index) => index))
    const pids = (await Promise.all(actors.map((actor) => actor.pid!()))) as number[]
    expect(new Set(pids).size).toBe(50)
    await Promise.all(actors.map((actor: ActorHandle<AnyApi>) => kill(actor)))
    await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([])
  })
})

test.each(callees)(
  'tasks in $name have their turn while all CPUs are busy with those of the other language',
  async ({ name, language, module }) => {
    await using _cluster = await init({ ...options, cpus: 2 })
    const other = callees.find((each) => each.name !== name)!
    const busy = other.language.task(`${other.module('lives')}:work`)
    const task = language.task(`${module('things')}:echo`)
    await Promise.all([busy(1), task(1)])
    let isOver = false
    const loops = [1, 2, 3, 4].map(async () => {
      while (!isOver) await busy(1)
    })
    await new Promise((resolve) => setTimeout(resolve, 500))
    try {
      expect(await task(7).get({ timeoutMs: 5_000 })).toBe(7)
    } finally {
      isOver = true
      await Promise.all(loops)
    }
  },
)

test.each(callees)(
  '1,000 tasks in $name of which a worker is killed: none is lost',
  async (callee) => {
    await using _cluster = await init({ ...options, cpus: 2, logToDriver: false })
    const { language, module } = callee
    const pid = language.task<() => number>(`${module('things')}:pid`)
    const echo = language.task<(n: number) => number>(`${module('things')}:echo`)
    const victim = await pid()
    const outcomes = await Promise.all(many(echo, 1_000, () => process.kill(victim, 'SIGKILL')))
    // They are executed again: by default a task is, when its worker dies.
    expect(outcomes).toEqual(outcomes.map((_, index) => index))
    expect(outcomes).toHaveLength(1_000)
    expect(isRunning(victim)).toBe(false)
    expect(await echo(7)).toBe(7)
  },
)

/** The results or errors of so many calls; something happens after the first hundred results. */
function many(
  echo: Task<(n: number) => number>,
  count: number,
  happen: () => void,
): Promise<number | Error>[] {
  return Array.from({ length: count }, async (_, index) => {
    try {
      const value = await echo(index)
      if (index === 100) happen()
      return value
    } catch (error) {
      return error as Error
    }
  })
}
