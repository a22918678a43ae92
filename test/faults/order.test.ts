// A million calls to an actor of the other language are executed exactly in the order in which they were made.

import { writeSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type ObjectRef, python, room } from 'thornback'
import { Program } from './support/program.ts'
import { withSession } from './support/session.ts'

const count = 1_000_000
const limitMs = 30_000

function report(pair: string, ms: number): void {
  writeSync(1, `${pair}: ${count} calls in order in ${(ms / 1_000).toFixed(1)} s\n`)
  expect(ms).toBeLessThan(limitMs)
}

describe('from TypeScript to Python', () => {
  withSession({ cpus: 2 })

  test('each call finds the counter where it has to be', async () => {
    const counter = await python.actor<{ expect(n: number): number }>('lives:Counter').create()
    const begin = performance.now()
    const refs: ObjectRef<number>[] = []
    let checked = 0
    const check = async (): Promise<void> => {
      for (const ref of refs.splice(0)) {
        if ((await ref) !== checked++) throw new Error(`a wrong answer before ${checked}`)
        ref.dispose()
      }
    }
    for (let n = 0; n < count; n++) {
      if (n % 100 === 0) await room(counter)
      refs.push(counter.expect(n))
      if (refs.length === 20_000) await check()
    }
    await check()
    report('typescript > python', performance.now() - begin)
    expect(checked).toBe(count)
  })
})

test('from Python to TypeScript', async () => {
  using program = Program.python('order.py', { args: [String(count)] })
  const [answered, seconds] = (await program.line('ordered')).split(' ').map(Number)
  expect(answered).toBe(count)
  report('python > typescript', seconds! * 1_000)
  expect((await program.ended).status).toBe(0)
})
