import { allCases, suites } from './catalog/index.ts'
import type { Record_, SuiteRecord } from './record.ts'
import { markdownTable, rowCells, rowHead, verdictCells, verdictHead } from './table.ts'
import { judge, readTargets } from './targets.ts'

const head = `# Results

Written by \`npm run bench -- --suite all --peer ray --peer limit --record\`; [README.md](README.md) tells how to read it.

![Thornback and Ray, case by case](results/chart.svg)
`

/** The results page. */
export function makePage(records: Record_): string {
  const parts = suites.flatMap((suite) => {
    const each = records[suite]
    return each ? [section(suite, each)] : []
  })
  return [head, ...parts].join('\n')
}

function section(suite: string, each: SuiteRecord): string {
  const verdicts = judge(readTargets(), each.rows)
  const met = verdicts.filter(({ isMet }) => isMet).length
  const names = new Set(allCases.map(({ name }) => name))
  const calibrators = each.rows.filter((row) => !names.has(row.case))
  const rows = each.rows.filter((row) => names.has(row.case))
  const tables = [
    markdownTable(rowHead, rowCells(rows, verdicts)),
    `### Targets of ${suite}: ${met} of ${verdicts.length} met\n\n${markdownTable(verdictHead, verdictCells(verdicts))}`,
    `### The machine while ${suite} ran\n\n${machine(each)}\n\n${markdownTable(
      rowHead.slice(0, 5),
      rowCells(calibrators, []).map((cells) => cells.slice(0, 5)),
    )}`,
  ]
  const failures = each.failures.map((one) => `- ${one.case}, ${one.subject}: ${one.error}`)
  if (failures.length > 0) tables.push(`### Failed\n\n${failures.join('\n')}`)
  return `## ${suite}\n\n${tables.join('\n\n')}\n`
}

function machine(each: SuiteRecord): string {
  const { cpu, cpus, memoryGib, kernel, node, python, loadBefore, sharedHugePages } = each.machine
  return [
    `${each.recorded}. ${cpu}, ${cpus} CPUs (${each.placement}), ${memoryGib} GiB, Linux ${kernel}, Node ${node},`,
    `Python ${python}, 2 MiB pages of shared memory: ${sharedHugePages}. Load before the run: ${loadBefore}.`,
    `${each.repetitions} rounds of ${each.seconds} s.`,
  ].join('\n')
}
