import { describe, expect, test } from 'vitest'
import { allCases } from './catalog/index.ts'
import { type Row, addRatios, makeRow } from './rows.ts'
import { type Target, judge, readTargets } from './targets.ts'

function row(name: string, subject: string, value: number, more: Partial<Row> = {}): Row {
  const each = { name, unit: 'calls/s' } as const
  return { ...makeRow(each, subject, [{ value, checked: 1 }], 'near'), ...more }
}

function verdicts(target: Partial<Target>, rows: readonly Row[]) {
  return judge([{ case: 'a', subjects: ['ts>py'], ...target }], rows)
}

describe('targets', () => {
  test('a ratio to a peer', () => {
    const rows = [row('a', 'ts>py', 1000), row('a', 'ray', 20)]
    addRatios({ unit: 'calls/s' }, rows)
    expect(verdicts({ peer: 'ray', atLeast: 50 }, rows)).toMatchObject([{ got: 50, isMet: true }])
    expect(verdicts({ peer: 'ray', atLeast: 51 }, rows)).toMatchObject([{ got: 50, isMet: false }])
  })

  test('a figure of the row itself', () => {
    const rows = [row('a', 'ts>py', 1, { p50: 6, details: { threads: 4 } })]
    expect(verdicts({ of: 'p50', atMost: 5 }, rows)).toMatchObject([{ got: 6, isMet: false }])
    expect(verdicts({ of: 'details.threads', atMost: 4 }, rows)).toMatchObject([{ isMet: true }])
  })

  test('a quotient of two rows', () => {
    const rows = [row('a', 'ts>py', 30), row('b', 'ts>py', 20), row('b', 'limit', 60)]
    expect(verdicts({ against: { case: 'b' }, atMost: 1.2 }, rows)[0]?.got).toBe(1.5)
    expect(verdicts({ against: { case: 'b', subject: 'limit' }, atMost: 1 }, rows)[0]?.got).toBe(
      0.5,
    )
  })

  test('what was not measured has no verdict', () => {
    expect(verdicts({ peer: 'ray', atLeast: 1 }, [row('a', 'ts>py', 1)])).toEqual([])
    expect(verdicts({ atLeast: 1 }, [row('b', 'ts>py', 1)])).toEqual([])
  })

  test('every target names a case, subjects and peers that exist', () => {
    const cases = new Map(allCases.map((each) => [each.name, each]))
    for (const target of readTargets()) {
      const each = cases.get(target.case)
      expect(each, target.case).toBeDefined()
      for (const subject of target.subjects) expect(each!.subjects).toContain(subject)
      if (target.peer === 'ray') expect(each!.hasRay, target.case).toBe(true)
      else if (target.peer) expect(Object.keys(each!.limits)).toContain(target.peer)
      expect(target.atLeast ?? target.atMost, target.case).toBeTypeOf('number')
    }
  })
})
