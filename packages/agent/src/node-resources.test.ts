import { totalmem } from 'node:os'
import { expect, test } from 'vitest'
import { nodeResources } from './node-resources.ts'
import { parseOptions } from './options.ts'

test('a node has its CPUs, its memory, and what the options add', () => {
  const total = nodeResources(2, { gpu: 4, license: 0.5 }, 1024)
  expect(Object.fromEntries(total)).toEqual({
    cpu: 20_000,
    memory: 1024,
    gpu: 40_000,
    license: 5_000,
  })
  expect(nodeResources(1, { memory: 10 }).get('memory')).toBe(10)
  const machine = nodeResources(1, {}).get('memory')!
  expect(machine).toBeGreaterThan(0)
  expect(machine).toBeLessThanOrEqual(totalmem())
})

test.each([
  ['{"resources": {"gpu": 1.5}}', 'agent options.resources.gpu: must be a whole number'],
  ['{"resources": {"license": -1}}', 'agent options.resources.license: must be a number from 0'],
  ['{"resources": {"license": 0.00001}}', 'license: must be a multiple of 0.0001'],
  ['{"resources": {"memory": 0.5}}', 'memory: must be a whole number of bytes'],
  ['{"resources": {"cpu": 1}}', 'agent options.resources.cpu: CPUs are given by the option cpus'],
  ['{"resources": {"license": "1"}}', 'agent options.resources: license must be a number'],
  ['{"resources": [1]}', 'agent options.resources: must be a map'],
])('%s is refused', (text, message) => {
  expect(() => parseOptions(text)).toThrow(message)
})

test('options keep what they say', () => {
  expect(parseOptions('{"resources": {"gpu": 2}}').resources).toEqual({ gpu: 2 })
  expect(parseOptions('{}').resources).toEqual({})
})
