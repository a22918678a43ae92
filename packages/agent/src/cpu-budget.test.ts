import { expect, test } from 'vitest'
import { CpuBudget } from './cpu-budget.ts'

test('counts what running workers take', () => {
  const budget = new CpuBudget(4)
  budget.take('a', 1)
  budget.take('b', 0.5)
  expect(budget.free).toBe(2.5)
  budget.give('a')
  budget.give('a')
  expect(budget.free).toBe(3.5)
})

test('a blocked worker lends its CPU and may exceed the capacity when it goes on', () => {
  const budget = new CpuBudget(1)
  budget.take('parent', 1)
  budget.block('parent')
  expect(budget.free).toBe(1)
  budget.take('child', 1)
  budget.unblock('parent')
  expect(budget.free).toBe(-1)
  budget.give('child')
  expect(budget.free).toBe(0)
})

test('blocked calls nest', () => {
  const budget = new CpuBudget(1)
  budget.take('a', 1)
  budget.block('a')
  budget.block('a')
  budget.unblock('a')
  expect(budget.free).toBe(1)
  budget.unblock('a')
  budget.unblock('a')
  expect(budget.free).toBe(0)
})

test('a blocked worker that ends gives nothing twice', () => {
  const budget = new CpuBudget(2)
  budget.take('a', 1)
  budget.take('b', 1)
  budget.block('a')
  budget.give('a')
  expect(budget.free).toBe(1)
  budget.block('unknown')
  budget.unblock('unknown')
  expect(budget.free).toBe(1)
})

test('fractions do not drift', () => {
  const budget = new CpuBudget(1)
  for (let i = 0; i < 1000; i++) {
    for (const name of ['a', 'b', 'c']) budget.take(name, 0.1)
    for (const name of ['b', 'a', 'c']) budget.give(name)
  }
  expect(budget.free).toBe(1)
})
