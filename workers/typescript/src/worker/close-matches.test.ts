import { expect, it } from 'vitest'
import { available } from './close-matches.ts'

it('names what exists, the most similar first', () => {
  expect(available('scroe', ['train', 'score', 'close', 'score'])).toBe('score, close, train')
  expect(available('x', [])).toBe('none')
  const many = Array.from({ length: 20 }, (_, index) => `name${index}`)
  expect(available('name7', many)).toMatch(/^name7, .* and 12 more$/)
})
