import { describe, expect, it } from 'vitest'
import { RefTable, type TableEntry } from './ref-table.ts'

function entry(id: number): TableEntry {
  return { id, nextOfSameId: undefined }
}

describe('RefTable', () => {
  it('finds what was added, once', () => {
    const table = new RefTable()
    const one = entry(2 ** 40 + 1)
    table.add(one)
    expect(table.size).toBe(1)
    expect(table.take(1)).toBeUndefined()
    expect(table.take(one.id)).toBe(one)
    expect(table.take(one.id)).toBeUndefined()
    expect(table.size).toBe(0)
  })

  it('keeps refs whose low bits collide apart, and grows', () => {
    const table = new RefTable()
    const entries = Array.from({ length: 20_000 }, (_, index) =>
      entry((index % 100) + Math.floor(index / 100) * 2 ** 30),
    )
    for (const each of entries) table.add(each)
    expect(table.size).toBe(entries.length)
    for (const each of entries) expect(table.take(each.id)).toBe(each)
    expect(table.size).toBe(0)
  })

  it('chains objects of one ref', () => {
    const table = new RefTable()
    const [first, second, third] = [entry(7), entry(7), entry(7)]
    for (const each of [first, second, third]) table.add(each)
    expect(table.size).toBe(3)
    expect(table.remove(second)).toBe(true)
    expect(table.remove(second)).toBe(false)
    expect(table.size).toBe(2)
    const taken = table.take(7)
    expect(new Set([taken, taken?.nextOfSameId])).toEqual(new Set([first, third]))
    expect(table.size).toBe(0)
  })

  it('gives everything back', () => {
    const table = new RefTable()
    const entries = [entry(1), entry(1), entry(1 + 2 ** 30), entry(2)]
    for (const each of entries) table.add(each)
    expect(new Set(table.takeAll())).toEqual(new Set(entries))
    expect(table.size).toBe(0)
  })
})
