// npm run bench -- --suite calls --peer ray --peer limit --json FILE
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Case, allCases } from './src/catalog/index.ts'
import { calibrate } from './src/calibration.ts'
import { lookAtMachine } from './src/machine.ts'
import { type Options, UsageError, parseOptions, usage } from './src/options.ts'
import { combine } from './src/placement.ts'
import { root } from './src/paths.ts'
import { Progress } from './src/progress.ts'
import { ensureRay } from './src/ray-environment.ts'
import { record } from './src/record.ts'
import { type Failure, runCase, subjectsOf } from './src/rounds.ts'
import type { Row } from './src/rows.ts'
import { buildRings } from './src/rings.ts'
import { openSubject } from './src/subjects/open.ts'
import { Shared } from './src/subjects/shared.ts'
import type { Programs } from './src/subjects/subject.ts'
import { rowCells, rowHead, textTable, verdictCells, verdictHead } from './src/table.ts'
import { judge, readTargets } from './src/targets.ts'

function preparePrograms(options: Options, say: (text: string) => void): Programs {
  const python = `${process.env['VIRTUAL_ENV'] ?? `${root}/.venv`}/bin/python`
  const needsRings = options.peers.includes('limit')
  if (needsRings) buildRings(python, say)
  const rayPython = options.peers.includes('ray') ? ensureRay(python, say) : ''
  return { node: process.execPath, python, rayPython }
}

async function measure(options: Options): Promise<number> {
  const cases = options.cases.filter((each) => subjectsOf(each, options).length > 0)
  const progress = new Progress(cases.length)
  const say = (text: string): void => progress.say(text)
  const programs = preparePrograms(options, say)
  const machine = lookAtMachine(programs.python)
  const { placement, rows } = await calibrate(options.small ? 1 : options.repetitions)
  say(`${machine.cpu}, ${machine.cpus} CPUs ${placement}, load ${machine.loadBefore}`)
  if (machine.loadBefore > 0.3) say('the machine is not quiet: read the figures accordingly')
  const failures: Failure[] = []
  const shared = new Shared((name, each) => openSubject(name, each, programs))
  const open = (name: string, each: Case) =>
    options.small ? shared.open(name, each) : openSubject(name, each, programs)
  for (const each of cases) {
    progress.begin(each.name)
    const result = await runCase(each, open, options, progress, placement)
    rows.push(...result.rows)
    failures.push(...result.failures)
    progress.end()
  }
  await shared.close()
  const isMixed = combine(rows.map((row) => row.placement)) === 'mixed'
  report(rows, failures)
  if (options.json !== undefined) save(options.json, rows)
  if (isMixed && !options.allowMixed && !options.small) {
    say(
      'The CPUs were near together for some cases and far apart for others: this run is no record of anything.',
    )
    say('Run it again, or accept it with --allow-mixed.')
    return 3
  }
  const { suites, repetitions, seconds } = options
  if (options.record) record({ suites, machine, placement, repetitions, seconds, rows, failures })
  return failures.length > 0 ? 1 : 0
}

function report(rows: readonly Row[], failures: readonly Failure[]): void {
  const verdicts = judge(readTargets(), rows)
  console.log(textTable(rowHead, rowCells(rows, verdicts)))
  if (verdicts.length > 0) console.log(`\n${textTable(verdictHead, verdictCells(verdicts))}`)
  const met = verdicts.filter((each) => each.isMet).length
  console.log(`\n${rows.length} rows; ${met} of ${verdicts.length} targets met`)
  for (const each of failures) console.log(`FAILED ${each.case} ${each.subject}: ${each.error}`)
}

function save(path: string, rows: readonly Row[]): void {
  mkdirSync(dirname(path), { recursive: true })
  const lines = rows.map((row) => JSON.stringify(row))
  writeFileSync(path, `[\n${lines.join(',\n')}\n]\n`)
}

try {
  const options = parseOptions(process.argv.slice(2))
  process.exitCode = await measure(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  const names = allCases.map((each) => each.name).join(', ')
  if (error.message !== '') console.error(`${error.message}\n`)
  console.error(`${usage}\n\ncases: ${names}`)
  process.exitCode = error.message === '' ? 0 : 2
}
