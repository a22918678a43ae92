import { expect, test } from 'vitest'
import { Fields } from './arguments.ts'
import { readRequest } from './resource-request.ts'
import { amounts } from './testing/amounts.ts'

const read = (resources: unknown, cpuOtherwise = 10_000) =>
  readRequest(Fields.of('shape', { resources }).fields('resources'), cpuOtherwise)

test('a request names what is needed; a CPU goes without saying', () => {
  expect(read(undefined)).toEqual(amounts({ cpu: 1 }))
  expect(read({ gpu: 0.5 })).toEqual(amounts({ cpu: 1, gpu: 0.5 }))
  expect(read({ cpu: 0, license: 1, memory: null })).toEqual(amounts({ license: 1 }))
  expect(read(new Map([['memory', 7]]), 0)).toEqual(amounts({ memory: 7 }))
})

test.each([
  [{ cpu: -1 }, 'shape.resources.cpu: must be a number from 0'],
  [{ license: 1 / 3 }, 'shape.resources.license: must be a multiple of 0.0001'],
  [{ memory: 1.5 }, 'shape.resources.memory: must be a whole number of bytes'],
  [{ gpu: 1.5 }, 'shape.resources.gpu: must be a whole number, or a fraction below 1'],
  [{ gpu: 'a' }, 'shape.resources.gpu: must be a number from 0'],
  [[1], 'shape.resources: must be a map'],
])('%j is refused with its path', (resources, message) => {
  expect(() => read(resources)).toThrow(message)
})
