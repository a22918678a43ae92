import { describe, expect, test } from 'vitest'
import { parseOptions } from './options.ts'

describe('options', () => {
  test('the defaults are five rounds of a second', () => {
    const options = parseOptions(['--suite', 'tasks'])
    expect(options).toMatchObject({ repetitions: 5, seconds: 1, peers: [], small: false })
    expect(new Set(options.cases.map((each) => each.suite))).toEqual(new Set(['tasks']))
  })

  test('cases are chosen by name and by pattern', () => {
    const names = parseOptions([
      '--suite',
      'calls',
      '--case',
      'actor-1n',
      '--case',
      'death-*',
    ]).cases
    expect(names.map((each) => each.name)).toEqual(['actor-1n', 'death-notice'])
  })

  test.each([
    [[], '--suite must be one of'],
    [['--suite', 'nothing'], '--suite must be one of'],
    [['--suite', 'calls', '--case', 'init'], 'there is no case init in the suite'],
    [['--suite', 'calls', '--subject', 'ts'], 'there is no subject ts; there is ts>py'],
    [['--suite', 'calls', '--peer', 'grpc'], '--peer must be ray or limit'],
    [['--suite', 'calls', '--repetitions', '2.5'], '--repetitions must be a whole number'],
    [['--suite', 'calls', '--seconds', '-1'], '--seconds'],
    [['--suite', 'calls', '--wrong'], '--wrong'],
  ])('%j is refused', (args, reason) => {
    expect(() => parseOptions(args)).toThrow(reason)
  })
})
