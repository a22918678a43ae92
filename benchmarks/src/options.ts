import { parseArgs } from 'node:util'
import { type Case, type Suite, allCases, suites } from './catalog/index.ts'

export interface Options {
  readonly suites: readonly Suite[]
  readonly cases: readonly Case[]
  /** Only these of ours, if any are named. */
  readonly subjects: readonly string[]
  readonly peers: readonly ('ray' | 'limit')[]
  readonly repetitions: number
  readonly seconds: number
  readonly json: string | undefined
  /** Tiny parameters and one driver for many cases: shows that everything runs, measures nothing. */
  readonly small: boolean
  readonly allowMixed: boolean
  /** Keep the rows as the suite's recorded run and write the results page. */
  readonly record: boolean
}

export const usage = `npm run bench -- --suite calls|tasks|objects|start|flow|all [options]

  --case NAME        only this case; a star stands for anything, as in 'actor-*'; may be given several times
  --subject S        only this subject (ts>py, py>py, ts>ts, py>ts, cpp>cpp); may be given several times
  --peer ray         also Ray, installed into .venv-ray when that is not there yet
  --peer limit       also what the bare parts can do
  --repetitions N    rounds; each subject is measured once in each (default 5)
  --seconds S        length of one sample (default 1)
  --json FILE        write the rows
  --record           write benchmarks/results/latest.json and benchmarks/RESULTS.md
  --allow-mixed      accept figures from CPUs that were near together for some cases and far apart for others
  --small            tiny parameters: shows that everything runs
  --help             this text`

/** Thrown with what is to be said before the usage; nothing when it was asked for. */
export class UsageError extends Error {}

export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args)
  if (values.help) throw new UsageError('')
  const chosen = chooseSuites(values.suite)
  const cases = chooseCases(chosen, values.case ?? [])
  const known = new Set(allCases.flatMap((each) => each.subjects))
  for (const subject of values.subject ?? []) {
    if (!known.has(subject)) {
      throw new UsageError(`there is no subject ${subject}; there is ${[...known].join(', ')}`)
    }
  }
  return {
    suites: chosen,
    cases,
    subjects: values.subject ?? [],
    peers: (values.peer ?? []).map(asPeer),
    repetitions: positive('repetitions', values.repetitions, true),
    seconds: positive('seconds', values.seconds, false),
    json: values.json,
    small: values.small,
    allowMixed: values['allow-mixed'],
    record: values.record,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        suite: { type: 'string' },
        case: { type: 'string', multiple: true },
        subject: { type: 'string', multiple: true },
        peer: { type: 'string', multiple: true },
        repetitions: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '1' },
        json: { type: 'string' },
        small: { type: 'boolean', default: false },
        'allow-mixed': { type: 'boolean', default: false },
        record: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function chooseSuites(name: string | undefined): readonly Suite[] {
  if (name === 'all') return suites
  const found = suites.find((suite) => suite === name)
  if (!found) throw new UsageError(`--suite must be one of ${suites.join(', ')}, all`)
  return [found]
}

function chooseCases(chosen: readonly Suite[], names: readonly string[]): readonly Case[] {
  const cases = allCases.filter((each) => chosen.includes(each.suite))
  if (names.length === 0) return cases
  const matches = (name: string, each: Case): boolean => {
    const pattern = name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
    return new RegExp(`^${pattern}$`).test(each.name)
  }
  for (const name of names) {
    if (cases.some((each) => matches(name, each))) continue
    const there = cases.map((each) => each.name).join(', ')
    throw new UsageError(`there is no case ${name} in the suite; there is ${there}`)
  }
  return cases.filter((each) => names.some((name) => matches(name, each)))
}

function asPeer(name: string): 'ray' | 'limit' {
  if (name === 'ray' || name === 'limit') return name
  throw new UsageError(`--peer must be ray or limit, not ${name}`)
}

function positive(name: string, text: string, isWhole: boolean): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value) && (!isWhole || Number.isInteger(value))) return value
  throw new UsageError(`--${name} must be a ${isWhole ? 'whole ' : ''}number above 0`)
}
