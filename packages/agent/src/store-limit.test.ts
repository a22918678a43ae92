import { expect, test } from 'vitest'
import { checkStoreFits } from './store-limit.ts'

test('a store as large as memory is let through, the default too', () => {
  checkStoreFits(1_000, 1_000)
  checkStoreFits(0)
})

test('a larger one is refused with need, has and the fix', () => {
  expect(() => checkStoreFits(1_001, 1_000)).toThrow(
    'the object store needs 1001 bytes of memory, has 1000; give init() a smaller store size',
  )
  expect(() => checkStoreFits(Number.MAX_SAFE_INTEGER)).toThrow(/needs 9007199254740991 bytes/)
})
