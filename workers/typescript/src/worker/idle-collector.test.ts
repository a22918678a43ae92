import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IdleCollector } from './idle-collector.ts'

describe('IdleCollector', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function make(): { holder: { holds: number }; collector: IdleCollector; run: () => void } {
    const holder = { holds: 0 }
    const run = vi.fn<() => void>()
    return { holder, run, collector: new IdleCollector(holder, run) }
  }

  it('does nothing for calls that leave nothing behind, and then sleeps', () => {
    const { collector, run } = make()
    collector.touch()
    vi.advanceTimersByTime(60_000)
    expect(run).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('collects once after a busy time', () => {
    const { holder, collector, run } = make()
    for (let second = 0; second < 10; second++) {
      collector.touch()
      holder.holds += 100
      vi.advanceTimersByTime(400)
    }
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_500)
    expect(run).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(60_000)
    expect(run).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes longer to collect little', () => {
    const { holder, collector, run } = make()
    collector.touch()
    holder.holds = 1
    vi.advanceTimersByTime(3_000)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(3_000)
    expect(run).toHaveBeenCalledTimes(1)
  })
})
