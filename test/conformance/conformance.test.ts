// Every case for every pair of languages, caller times callee.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, init } from 'thornback'
import {
  behaviourCases,
  canonical,
  type Case,
  echoCases,
  type ExpectedStep,
  type FileStep,
  isFileStep,
  knownFailures,
} from './support/cases.ts'
import { Driver, languageNames } from './support/driver.ts'
import { coverageTable } from './support/coverage.ts'
import type { Answer, LanguageName, Step } from './support/protocol.ts'

const callees = join(import.meta.dirname, 'callees')
/** How a callee of a name is named in each language. */
const modules: Readonly<Record<LanguageName, (name: string) => string>> = {
  typescript: (name) => `./${name}.ts`,
  python: (name) => name,
}
const known = knownFailures()
const behaviours = behaviourCases()
const coverage = new Map<string, Map<string, number>>()
/** Refs are reserved in blocks; a level may differ by one. */
const reservedMax = 1_024

let cluster: Cluster

beforeAll(async () => {
  cluster = await init({ cwd: callees, sysPath: [callees], storeBytes: 256 * 1024 * 1024, cpus: 2 })
})
afterAll(async () => {
  await cluster.shutdown()
  const pairs = languageNames.flatMap((from) => languageNames.map((to) => `${from} > ${to}`))
  writeSync(1, coverageTable(coverage, pairs))
})

/** What a step has to give is what it gives. */
function check(expected: ExpectedStep, answer: Answer, callee: LanguageName): void {
  const { gives, items, fails, contains = [] } = expected
  if (fails === undefined) expect(answer.error).toBeUndefined()
  else {
    expect([fails.code].flat()).toContain(answer.error?.code)
    if (fails.message !== undefined) expect(answer.error!.message).toContain(fails.message)
    if (fails.causes !== undefined) expect(answer.error!.causes).toEqual(fails.causes[callee])
  }
  for (const part of contains) expect((answer.value as { str: string }).str).toContain(part)
  if (gives !== undefined) expect(canonical(answer.value!)).toEqual(canonical(gives))
  if (items !== undefined) expect(answer.items!.map(canonical)).toEqual(items.map(canonical))
}

describe.each(languageNames)('%s calls', (caller) => {
  let driver: Driver

  beforeAll(async () => {
    driver = new Driver(caller)
    await driver.run(stepFor(caller, { op: 'init', address: cluster.address }))
  })
  afterAll(() => driver[Symbol.asyncDispose]())

  describe.each(languageNames)('%s', (callee) => {
    const pair = `${caller} > ${callee}`

    async function run({ steps }: Case): Promise<void> {
      const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
      try {
        for (const step of steps) {
          if (isFileStep(step)) {
            await runFileStep(step, folder)
            continue
          }
          const placed = JSON.parse(
            JSON.stringify(step).replaceAll('$folder', folder),
          ) as ExpectedStep
          const language = languageOf(placed, caller, callee)
          check(placed, await driver.run(stepFor(language, placed)), language)
        }
      } finally {
        await driver.run(stepFor(callee, { op: 'reset' }))
        rmSync(folder, { recursive: true })
      }
    }

    function define(group: string, each: Case): void {
      const failure = known.find((one) => one.case === each.name && one.pair === pair)
      test(each.name, async () => {
        if (failure === undefined) await run(each)
        else await expect(run(each), `it passes now: ${failure.reason}`).rejects.toThrow()
        const counts = coverage.get(group) ?? new Map<string, number>()
        coverage.set(group, counts.set(pair, (counts.get(pair) ?? 0) + 1))
      })
    }

    for (const [group, all] of [...echoCases(caller, callee), ...behaviours]) {
      const cases = all.filter((each) => each.callees?.includes(callee) ?? true)
      describe(group, () => cases.forEach((each) => define(group, each)))
    }

    test('refs and objects return to their level', async () => {
      const step = (fields: Omit<Step, 'callee'>) => driver.run(stepFor(callee, fields))
      const load = async (): Promise<void> => {
        for (const method of ['echo', 'ones']) {
          for (let i = 0; i < 4; i++) {
            await step({
              op: 'many',
              on: 'counter',
              method,
              count: method === 'echo' ? 1_000 : 300,
            })
          }
        }
        const args = [{ ndarray: { dtype: '<f8' as const, shape: [2_000], hex: '00*16000' } }]
        for (let i = 0; i < 100; i++) {
          await step({ op: 'put', args, as: 'array' })
          await step({
            op: 'call',
            on: 'counter',
            method: 'echo',
            args: [{ ref: 0 }],
            things: ['array'],
            as: 'echoed',
          })
          await step({ op: 'get', from: 'echoed' })
          await step({
            op: 'stream',
            on: 'counter',
            method: 'count',
            args: [{ int: '20' }],
            limit: 5,
          })
        }
        await step({ op: 'reset' })
      }
      const fresh = {
        op: 'create',
        class: 'Counter',
        args: [{ int: '0' }],
        options: { name: `level ${pair}` },
        as: 'counter',
      } as const
      const again = { op: 'find', name: `level ${pair}`, as: 'counter' } as const
      await step(fresh)
      await step({ op: 'reset' })
      const before = (await step({ op: 'stats' })).stats!
      await step(again)
      await load()
      await expect
        .poll(async () => (await step({ op: 'stats' })).stats!.objects, { timeout: 20_000 })
        .toBe(before.objects)
      // Thousands of calls; a ref that each leaves would be far above.
      await expect
        .poll(async () => (await step({ op: 'stats' })).stats!.refs, { timeout: 20_000 })
        .toBeLessThanOrEqual(before.refs + reservedMax)
      await step(again)
      const objects = async () => {
        await step({ op: 'call', on: 'counter', method: 'objects', as: 'objects' })
        return (await step({ op: 'get', from: 'objects' })).value
      }
      await expect.poll(objects, { timeout: 20_000 }).toEqual({ int: '0' })
      await step({ op: 'kill', on: 'counter' })
    })
  })
})

function stepFor(language: LanguageName, fields: Omit<Step, 'callee'>): Step {
  const {
    gives: _gives,
    items: _items,
    fails: _fails,
    contains: _contains,
    in: _in,
    ...step
  } = fields as ExpectedStep
  const name = step.module ?? 'callee'
  return { ...step, callee: { language, module: modules[language](name) } }
}

function languageOf(step: ExpectedStep, caller: LanguageName, callee: LanguageName): LanguageName {
  if (step.in === 'caller') return caller
  if (step.in === 'other') return languageNames.find((each) => each !== callee)!
  return callee
}

async function runFileStep({ op, file, text }: FileStep, folder: string): Promise<void> {
  const path = join(folder, file)
  if (op === 'touch') writeFileSync(path, '')
  if (op === 'holds') expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(text)
  if (op !== 'until') return
  await expect.poll(() => existsSync(path), { timeout: 20_000, interval: 5 }).toBe(true)
}

test('known failures name cases and pairs that exist', () => {
  const names = new Set(
    [...behaviours.values(), ...echoCases('python', 'python').values()]
      .flat()
      .map((each) => each.name),
  )
  for (const one of known) {
    expect(names).toContain(one.case)
    expect(one.reason).not.toBe('')
  }
})
