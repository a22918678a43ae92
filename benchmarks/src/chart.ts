// The chart of the results page: bars on a logarithmic scale, drawn without any library.
import { allCases, isCost } from './catalog/index.ts'
import type { Record_ } from './record.ts'
import type { Row } from './rows.ts'
import { figure } from './table.ts'

const shown = ['ts>py', 'py>py', 'ray'] as const
const titles = { 'ts>py': 'TypeScript to Python', 'py>py': 'Python to Python', ray: 'Ray' }
type Shown = (typeof shown)[number]

const layout = { width: 860, left: 200, right: 110, bar: 13, gap: 10, top: 64, panelGap: 58 }

const style = `
  .back { fill: #ffffff } text { fill: #24292f; font: 12px system-ui, sans-serif }
  .title { font-weight: 600; font-size: 14px } .value { font-size: 11px; paint-order: stroke; stroke: #ffffff; stroke-width: 3px } .axis { fill: #6e7781; font-size: 11px }
  .grid { stroke: #d8dee4 } .ts { fill: #2f74c0 } .py { fill: #e0a526 } .ray { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } text { fill: #e6edf3 } .axis { fill: #8d96a0 }
    .value { stroke: #0d1117 }
    .grid { stroke: #30363d } .ts { fill: #539bf5 } .py { fill: #e3b341 } .ray { fill: #6e7681 }
  }`

const classOf: Readonly<Record<Shown, string>> = { 'ts>py': 'ts', 'py>py': 'py', ray: 'ray' }

interface Group {
  readonly name: string
  readonly unit: string
  readonly bars: readonly { readonly subject: Shown; readonly value: number }[]
}

interface Panel {
  readonly title: string
  readonly groups: readonly Group[]
  readonly low: number
  readonly high: number
}

/** Cases that Ray was measured on, too. */
function groupsOf(rows: readonly Row[], wantsCosts: boolean): Group[] {
  return allCases.flatMap((each) => {
    const own = rows.filter((row) => row.case === each.name)
    if (isCost(each.unit) !== wantsCosts || !own.some((row) => row.subject === 'ray')) return []
    const bars = shown.flatMap((subject) => {
      const row = own.find((one) => one.subject === subject)
      return row ? [{ subject, value: row.median }] : []
    })
    return [{ name: each.name, unit: each.unit, bars }]
  })
}

function makePanel(title: string, groups: readonly Group[]): Panel {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value))
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)) - 0.1)
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)))
  return { title, groups, low, high }
}

const groupHeight = ({ bars }: Group): number => bars.length * layout.bar + layout.gap
const panelHeight = ({ groups }: Panel): number =>
  groups.reduce((all, group) => all + groupHeight(group), 0)

function place(panel: Panel, value: number): number {
  const share = Math.log(value / panel.low) / Math.log(panel.high / panel.low)
  return layout.left + share * (layout.width - layout.left - layout.right)
}

function power(value: number): string {
  return value >= 1000 ? value.toLocaleString('en-US') : String(value)
}

function drawPanel(panel: Panel, top: number): string {
  const bottom = top + panelHeight(panel)
  const parts = [`<text class="title" x="16" y="${top - 24}">${panel.title}</text>`]
  for (let value = panel.low; value <= panel.high * 1.001; value *= 10) {
    const x = place(panel, value).toFixed(1)
    parts.push(`<line class="grid" x1="${x}" x2="${x}" y1="${top - 4}" y2="${bottom}"/>`)
    parts.push(
      `<text class="axis" x="${x}" y="${top - 8}" text-anchor="middle">${power(Number(value.toPrecision(1)))}</text>`,
    )
  }
  let y = top
  for (const group of panel.groups) {
    parts.push(drawGroup(panel, group, y))
    y += groupHeight(group)
  }
  return parts.join('\n')
}

function drawGroup(panel: Panel, group: Group, top: number): string {
  const middle = top + (group.bars.length * layout.bar) / 2 + 4
  const parts = [
    `<text x="${layout.left - 10}" y="${middle}" text-anchor="end">${group.name}</text>`,
  ]
  group.bars.forEach(({ subject, value }, index) => {
    const y = top + index * layout.bar
    const end = place(panel, value)
    const width = Math.max(1, end - layout.left).toFixed(1)
    parts.push(
      `<rect class="${classOf[subject]}" x="${layout.left}" y="${y}" width="${width}" height="${layout.bar - 1}" rx="1"/>`,
      `<text class="value" x="${(end + 5).toFixed(1)}" y="${y + 10}">${figure(value)} ${group.unit}</text>`,
    )
  })
  return parts.join('\n')
}

function drawLegend(): string {
  return shown
    .map((subject, index) => {
      const x = 16 + index * 180
      return `<rect class="${classOf[subject]}" x="${x}" y="12" width="12" height="12" rx="2"/><text x="${x + 18}" y="22">${titles[subject]}</text>`
    })
    .join('\n')
}

/** The SVG; an empty one while nothing is recorded. */
export function drawChart(records: Record_): string {
  const rows = Object.values(records).flatMap((each) => each.rows)
  const panels = [
    makePanel('Rates, logarithmic: longer is better', groupsOf(rows, false)),
    makePanel('Times and sizes, logarithmic: shorter is better', groupsOf(rows, true)),
  ].filter(({ groups }) => groups.length > 0)
  let y = layout.top + 24
  const drawn = panels.map((panel) => {
    const top = y
    y += panelHeight(panel) + layout.panelGap
    return drawPanel(panel, top)
  })
  const height = y - layout.panelGap + 12
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${height}" width="${layout.width}" height="${height}" role="img" aria-label="Thornback and Ray">
<style>${style}
</style>
<rect class="back" width="100%" height="100%"/>
${drawLegend()}
${drawn.join('\n')}
</svg>
`
}
