import { describe, expect, test } from 'vitest'
import { allCases } from './index.ts'

const promised = [
  'actor-sync',
  'actor-async',
  'actor-1n',
  'actor-nn',
  'actor-nn-arg',
  'coroutine-sync',
  'coroutine-async',
  'task-sync',
  'task-async',
  'put-small',
  'get-small',
  'put-100mb',
  'get-1gib',
  'wait-1k',
  'get-10k-refs',
  'echo-1mb',
  'init',
  'cold-worker',
  'warm-worker',
  'idle-worker-mb',
]

describe('the catalog', () => {
  test('has every case that is promised, each measured on Ray, too', () => {
    for (const name of promised) {
      expect(
        allCases.find((each) => each.name === name),
        name,
      ).toMatchObject({ hasRay: true })
    }
  })

  test('has no name twice', () => {
    const names = allCases.map((each) => each.name)
    expect(names).toEqual([...new Set(names)])
  })

  test('names cases without spinning by their ending', () => {
    for (const each of allCases) expect(each.spins, each.name).toBe(!each.name.endsWith('-nospin'))
  })

  test('replaces only parameters that exist', () => {
    for (const each of allCases) {
      expect(Object.keys(each.parameters)).toEqual(expect.arrayContaining(Object.keys(each.small)))
    }
  })
})
