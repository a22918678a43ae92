import { describe, expect, test } from 'vitest'
import { Fields } from './arguments.ts'
import { processEnvironment, resolveEnvironment } from './environment.ts'
import { KeyValues } from './key-values.ts'
import { parseOptions } from './options.ts'
import { describe as describeFolder } from './session-folder.ts'

describe('options', () => {
  test('have defaults', () => {
    const options = parseOptions('{"cpus": 3}')
    expect(options).toMatchObject({ cpus: 3, fd: 3, storeBytes: 0, idleSeconds: 60 })
    expect(options.driverPid).toBe(process.ppid)
  })

  test.each([
    ['{"cpus": 0}', 'agent options.cpus: must be a whole number from 1'],
    ['{"sysPath": "x"}', 'agent options.sysPath: must be a list'],
    ['{"sysPath": [1]}', 'agent options.sysPath: has an item of a wrong type'],
    ['{"prestart": {"python": -1}}', 'agent options.prestart: python must be a whole number'],
    ['{"environment": []}', 'agent options.environment: must be a map'],
    ['{"logToDriver": 1}', 'agent options.logToDriver: must be true or false'],
    ['{"cpu": 1}', 'agent options.cpu: there is no such option; there is fd,'],
    ['[]', 'agent options: must be a JSON object'],
    ['{', 'agent options: not JSON'],
  ])('%s is refused', (text, message) => {
    expect(() => parseOptions(text)).toThrow(message)
  })
})

describe('environments', () => {
  const options = parseOptions('{"cwd": "/app", "sysPath": ["/lib"], "environment": {"A": "1"}}')

  test('that say nothing new are the session’s own', () => {
    expect(resolveEnvironment(undefined, options).key).toBe('')
    expect(resolveEnvironment({ variables: { A: '1' } }, options).key).toBe('')
  })

  test('that differ have keys that do not depend on the order', () => {
    const one = resolveEnvironment({ variables: { B: '2', C: '3' } }, options)
    const two = resolveEnvironment({ variables: { C: '3', B: '2' } }, options)
    expect(one.key).not.toBe('')
    expect(one.key).toBe(two.key)
    expect(one.variables).toEqual({ A: '1', B: '2', C: '3' })
  })

  test('tell a worker its session', () => {
    const folder = describeFolder('/run', 's')
    const environment = processEnvironment(resolveEnvironment(undefined, options), folder)
    expect(environment).toMatchObject({
      A: '1',
      THORNBACK_SOCKET: '/run/s/hub.sock',
      THORNBACK_SESSION: 's',
      THORNBACK_FOLDER: '/run/s',
      PYTHONUNBUFFERED: '1',
    })
    expect(environment['PYTHONPATH']).toMatch(/^\/lib/)
  })
})

describe('arguments', () => {
  test('are read from maps and objects', () => {
    for (const value of [new Map([['name', 'x']]), { name: 'x' }]) {
      expect(Fields.of('actor', value).text('name')).toBe('x')
    }
  })

  const fields = Fields.of('a', { n: 'x', id: new Uint8Array(3), list: [1], map: { k: 1 } })
  test.each([
    [() => Fields.of('a', 1), 'a: must be a map'],
    [() => fields.text('missing'), 'a.missing: must be text'],
    [() => fields.integer('n', 0, 0, 9, 'must be a digit'), 'a.n: must be a digit'],
    [() => fields.endpoint('n'), 'a.n: must be an endpoint id'],
    [() => fields.flag('n'), 'a.n: must be true or false'],
    [() => fields.bytes('n'), 'a.n: must be bytes'],
    [() => fields.id('id'), 'a.id: must be 16 bytes, has 3'],
    [() => fields.optionalTexts('list'), 'a.list: must be a list of text'],
    [() => fields.optionalTextMap('map'), 'a.map.k: must be text'],
    [() => fields.fields('n'), 'a.n: must be a map'],
  ])('wrong ones are reported with their path (%#)', (read, message) => {
    expect(read).toThrow(message)
  })

  test('that are missing have defaults', () => {
    expect(fields.integer('missing', 7, 0, 9, 'must be a digit')).toBe(7)
    expect(fields.names()).toEqual(['n', 'id', 'list', 'map'])
    expect(fields.flag('missing')).toBe(false)
    expect(fields.optionalText('missing')).toBeUndefined()
    expect(fields.fields('missing').has('x')).toBe(false)
  })
})

test('the key-value table keeps copies within its limit', () => {
  const table = new KeyValues(10)
  const value = new Uint8Array([1, 2, 3])
  table.put('a', value)
  value[0] = 9
  expect(table.get('a')).toEqual(new Uint8Array([1, 2, 3]))
  table.put('a', new Uint8Array(10))
  expect(() => table.put('b', new Uint8Array(1))).toThrow('the key-value table needs 11, has 10')
  expect(table.get('b')).toBeNull()
})
