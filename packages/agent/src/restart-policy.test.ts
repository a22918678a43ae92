import { describe, expect, test } from 'vitest'
import { RestartPolicy } from './restart-policy.ts'

/** The delays of deaths after lives of these lengths; the remark at the end. */
function outcomes(policy: RestartPolicy, livesMs: readonly number[]): (number | string)[] {
  let nowMs = 0
  return livesMs.map((lifeMs) => {
    nowMs += lifeMs
    const verdict = policy.died(nowMs, lifeMs)
    if (!verdict.restarts) return verdict.remark
    nowMs += verdict.delayMs
    return verdict.delayMs
  })
}

describe('RestartPolicy', () => {
  test('without restarts ends the actor, with nothing to add', () => {
    const policy = new RestartPolicy(0)
    expect(policy.mayRestart).toBe(false)
    expect(policy.died(0, 5)).toEqual({ restarts: false, remark: '' })
  })

  test('restarts as often as it may, then says how often that was', () => {
    const twice = new RestartPolicy(2)
    expect(outcomes(twice, [2_000, 2_000, 2_000])).toEqual([
      0,
      100,
      '; restarted 2 times, no restart left',
    ])
    expect(twice.restarts).toBe(2)
    expect(outcomes(new RestartPolicy(1), [0, 0]).at(-1)).toBe('; restarted once, no restart left')
  })

  test('waits longer each time, up to 1 s', () => {
    const lives = new Array<number>(10).fill(1_000)
    const delays = [0, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000]
    expect(outcomes(new RestartPolicy(-1), lives)).toEqual(delays)
  })

  test('begins anew after a life of 10 s', () => {
    const lives = [1_000, 1_000, 9_999, 10_000, 1_000]
    expect(outcomes(new RestartPolicy(-1), lives)).toEqual([0, 100, 200, 0, 100])
  })

  test('ends a crash loop', () => {
    const remark = '; crash loop: died 5 times within 10 s, each time less than 1 s after its start'
    const policy = new RestartPolicy(-1)
    expect(outcomes(policy, [999, 0, 999, 0, 999])).toEqual([0, 100, 200, 400, remark])
    expect(policy.restarts).toBe(4)
  })

  test('a longer life between short ones is no crash loop', () => {
    const lives = [0, 0, 0, 0, 1_000, 0, 0, 0, 0]
    expect(outcomes(new RestartPolicy(-1), lives).every(Number.isFinite)).toBe(true)
  })

  test('short lives over more than 10 s are no crash loop', () => {
    const policy = new RestartPolicy(-1)
    for (let i = 0; i < 20; i++) expect(policy.died(i * 2_501, 0).restarts).toBe(true)
    for (let i = 0; i < 4; i++) expect(policy.died(60_000, 0).restarts).toBe(true)
    expect(policy.died(60_000, 0).restarts).toBe(false)
  })
})
