import { describe, expect, test } from 'vitest'
import { Pool } from './pool.ts'

/** A pool with workers a, b, ... that attached at times 1, 2, ... as endpoints 11, 12, ... */
function poolOf(...tokens: string[]): Pool {
  const pool = new Pool()
  tokens.forEach((token, i) => {
    pool.addHost(token, 'python', [token])
    pool.joined(token, 11 + i, 1 + i)
  })
  return pool
}

describe('Pool', () => {
  test('a worker is idle once it has attached, and only then', () => {
    const pool = new Pool()
    pool.addHost('a', 'python', ['a'])
    expect(pool.take('python', 'leased', 1)).toBeUndefined()
    expect(pool.count('python', 'starting')).toBe(1)
    expect(pool.joined('a', 11, 1)?.endpoint).toBe(11)
    expect(pool.joined('a', 12, 1)).toBeUndefined()
    expect(pool.joined('stranger', 13, 1)).toBeUndefined()
    expect(pool.take('python', 'leased', 7)).toMatchObject({ token: 'a', job: 7, state: 'leased' })
    expect(pool.take('python', 'leased', 1)).toBeUndefined()
  })

  test('tasks take the worker that was used last, actors an untouched one', () => {
    const pool = poolOf('a', 'b', 'c')
    const first = pool.take('python', 'leased', 1)!
    pool.release(first, 10)
    expect(pool.take('python', 'leased', 1)?.token).toBe(first.token)
    pool.release(first, 20)
    expect(pool.take('python', 'actor', 1)?.token).not.toBe(first.token)
    expect(pool.take('python', 'actor', 1)?.token).not.toBe(first.token)
    expect(pool.take('python', 'actor', 1)?.token).toBe(first.token)
  })

  test('an actor process is never handed out again', () => {
    const pool = poolOf('a')
    const slot = pool.take('python', 'actor', 1)!
    pool.release(slot, 5)
    expect(pool.take('python', 'leased', 1)).toBeUndefined()
    expect(pool.take('python', 'actor', 1)).toBeUndefined()
  })

  test('other pools are not touched', () => {
    const pool = poolOf('a')
    expect(pool.take('typescript', 'leased', 1)).toBeUndefined()
  })

  test('a thread that left comes back under its token', () => {
    const pool = new Pool()
    pool.addHost('h', 'threads', ['h#0', 'h#1'])
    pool.joined('h#0', 11, 1)
    pool.joined('h#1', 12, 1)
    expect(pool.left(11)).toMatchObject({ token: 'h#0', state: 'starting', endpoint: 0 })
    expect(pool.at(11)).toBeUndefined()
    expect(pool.joined('h#0', 13, 2)?.endpoint).toBe(13)
    expect(pool.left(99)).toBeUndefined()
  })

  test('idle hosts above the kept number expire, the longest idle first', () => {
    const pool = poolOf('a', 'b', 'c')
    const keep = (count: number) => () => count
    expect(pool.expired(50, 60, keep(0))).toEqual([])
    expect(pool.expired(62, 60, keep(0))).toEqual(['a', 'b'])
    expect(pool.expired(100, 60, keep(1))).toEqual(['a', 'b'])
    expect(pool.expired(100, 60, keep(3))).toEqual([])
    pool.take('python', 'leased', 1)
    expect(pool.expired(100, 60, keep(0))).toHaveLength(2)
  })

  test('a host expires only when all its threads are idle', () => {
    const pool = new Pool()
    pool.addHost('h', 'threads', ['h#0', 'h#1'])
    pool.joined('h#0', 11, 1)
    expect(pool.expired(100, 60, () => 0)).toEqual([])
    pool.joined('h#1', 12, 50)
    expect(pool.expired(100, 60, () => 0)).toEqual([])
    expect(pool.expired(110, 60, () => 0)).toEqual(['h'])
  })

  test('a removed host takes its endpoints along', () => {
    const pool = poolOf('a')
    pool.removeHost('a')
    expect(pool.at(11)).toBeUndefined()
    expect(pool.get('a')).toBeUndefined()
    expect(pool.slots()).toEqual([])
  })
})
