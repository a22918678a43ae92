import { describe, expect, test, vi } from 'vitest'
import { type ActorDescription, ActorRegistry, diedError, displayName } from './actors.ts'

const described = (id: string, more: Partial<ActorDescription> = {}): ActorDescription => ({
  id,
  language: 'python',
  className: 'scoring:Scorer',
  label: null,
  name: null,
  namespace: '',
  methods: null,
  maxRestarts: 0,
  creator: 1,
  job: 1,
  ...more,
})

function waiter() {
  return { resolve: vi.fn(), reject: vi.fn() }
}

describe('ActorRegistry', () => {
  test('tells the address to who waited and to who comes later', () => {
    const registry = new ActorRegistry()
    const { actor } = registry.create(described('a'), false)
    const early = waiter()
    registry.wait(actor, early)
    registry.starting(actor, 'token')
    expect(early.resolve).not.toHaveBeenCalled()
    registry.alive(actor, [11, 1])
    expect(early.resolve).toHaveBeenCalledExactlyOnceWith([11, 1])
    const late = waiter()
    registry.wait(actor, late)
    expect(late.resolve).toHaveBeenCalledExactlyOnceWith([11, 1])
    expect(actor.incarnation).toBe(1)
  })

  test('tells the first cause of death, before and after', () => {
    const registry = new ActorRegistry()
    const { actor } = registry.create(described('a'), false)
    const early = waiter()
    registry.wait(actor, early)
    const error = diedError(actor, 'process 7 exited with status 1')
    registry.dead(actor, error)
    registry.dead(actor, diedError(actor, 'something else'))
    registry.alive(actor, [1, 1])
    expect(early.reject).toHaveBeenCalledExactlyOnceWith(error)
    const late = waiter()
    registry.wait(actor, late)
    expect(late.reject).toHaveBeenCalledExactlyOnceWith(error)
    expect(error.message).toBe('actor Scorer died: process 7 exited with status 1')
  })

  test('whose process is gone has no address, and who waits learns the cause', () => {
    const registry = new ActorRegistry()
    const { actor } = registry.create(described('a', { name: 'hits' }), false)
    registry.starting(actor, 'token')
    registry.alive(actor, [11, 1])
    registry.dying(actor)
    const late = waiter()
    registry.wait(actor, late)
    expect(late.resolve).not.toHaveBeenCalled()
    expect(registry.create(described('b', { name: 'hits' }), false).created).toBe(true)
    const error = diedError(actor, 'test')
    registry.dead(actor, error)
    expect(late.reject).toHaveBeenCalledExactlyOnceWith(error)
    expect(registry.getByName('hits', '').id).toBe('b')
  })

  test('a name belongs to one living actor of a namespace', () => {
    const registry = new ActorRegistry()
    const { actor } = registry.create(described('a', { name: 'hits' }), false)
    const again = () => registry.create(described('b', { name: 'hits' }), false)
    expect(again).toThrow('an actor named hits exists already')
    expect(registry.create(described('c', { name: 'hits', namespace: 'x' }), false).created).toBe(
      true,
    )
    expect(registry.getByName('hits', '')).toBe(actor)
    registry.dead(actor, diedError(actor, 'test'))
    expect(() => registry.getByName('hits', '')).toThrow('no actor named hits; there is none')
    expect(again().created).toBe(true)
  })

  test('a failed search names what exists in the namespace', () => {
    const registry = new ActorRegistry()
    registry.create(described('a', { name: 'hits' }), false)
    registry.create(described('b', { name: 'misses' }), false)
    registry.create(described('c', { name: 'hidden', namespace: 'x' }), false)
    expect(() => registry.getByName('hitz', '')).toThrow(
      'no actor named hitz; there is hits, misses',
    )
  })

  test('getIfExists gives the existing actor, and the new id means it', () => {
    const registry = new ActorRegistry()
    const { actor } = registry.create(described('a', { name: 'hits' }), true)
    const second = registry.create(described('b', { name: 'hits' }), true)
    expect(second).toEqual({ actor, created: false })
    expect(registry.get('b')).toBe(actor)
  })

  test('an id is used once', () => {
    const registry = new ActorRegistry()
    registry.create(described('a'), false)
    expect(() => registry.create(described('a'), false)).toThrow('actor a exists already')
    expect(() => registry.get('zz')).toThrow('no actor zz')
  })

  test('remembers a bounded number of dead actors', () => {
    const registry = new ActorRegistry()
    for (let i = 0; i < 1_500; i++) {
      const { actor } = registry.create(described(`a${i}`), false)
      registry.dead(actor, diedError(actor, 'test'))
    }
    expect(registry.list()).toHaveLength(1_000)
    expect(registry.find('a0')).toBeUndefined()
    expect(registry.find('a1499')?.state).toBe('dead')
  })

  test('shows classes and names as people call them', () => {
    expect(displayName(described('a'))).toBe('Scorer')
    expect(displayName(described('a', { name: 'x', className: 'file:///w.ts:C' }))).toBe('C "x"')
    expect(displayName(described('a', { className: 'pickle:8f2e', label: 'Shelf' }))).toBe('Shelf')
  })
})
