// How the example looks: bars that move (plain lines where the output is no terminal), tables, facts.
import { styleText } from 'node:util'
import type { Row } from './service.ts'

const { stdout } = process
const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { stream: stdout })
const print = (line: string): void => void stdout.write(`  ${line.trimEnd()}\n`)
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

export function heading(text: string, detail: string): void {
  stdout.write('\n')
  print(`${paint('bold', text)}  ${paint('gray', detail)}`)
}

export function fact(name: string, text: string): void {
  print(`${paint('gray', name.padEnd(13))}  ${text}`)
}

/** A bar that shows the steps that are done. Each call is one more, with a word on it; the first draws the empty bar. */
export function progressBar(label: string, total: number): (text: string) => void {
  const begin = performance.now()
  let done = -1
  return (text) => {
    done++
    const time = `${((performance.now() - begin) / 1000).toFixed(1)} s`.padStart(8)
    const figures = `${done}/${total}`.padStart(6) + time
    if (!stdout.isTTY && done % 6 === 0) print(`${label.padEnd(13)}  ${figures}  ${text}`)
    if (!stdout.isTTY) return
    const width = Math.max(8, Math.min(32, stdout.columns - 64))
    const filled = Math.round((width * done) / total)
    const ready = paint(done < total ? 'cyan' : 'green', '━'.repeat(filled))
    const bar = ready + paint('gray', '─'.repeat(width - filled))
    const rest = done === total ? '\x1b[K\n' : `${paint('gray', text)}\x1b[K`
    stdout.write(`\r  ${label.padEnd(13)}  ${bar}${figures}  ${rest}`)
  }
}

/** A table whose last column shows the folds of each model on one axis (•), and their mean (◆). */
export function leaderboard(ranking: Row[]): void {
  const width = 32
  const low = Math.floor(100 * Math.min(...ranking.flatMap((row) => [...row.folds]))) / 100
  const at = (score: number): number => Math.round(((score - low) / (1 - low)) * (width - 1))
  const axis = `${(100 * low).toFixed(0)} %`.padEnd(width - 5) + '100 %'
  stdout.write(`\n  ${paint('gray', `   ${'model'.padEnd(24)} accuracy    std   ${axis}`)}\n`)
  for (const [index, { model, mean, std, folds }] of ranking.entries()) {
    const strip = Array.from({ length: width }, () => paint('gray', '·'))
    for (const fold of folds) strip[at(fold)] = paint('cyan', '•')
    strip[at(mean)] = paint(['bold', 'green'], '◆')
    const row = `${index + 1}  ${model.padEnd(24)} ${percent(mean).padStart(8)}  ±${(100 * std).toFixed(2)}`
    print(`${index === 0 ? paint(['bold', 'green'], row) : row}   ${strip.join('')}`)
  }
  stdout.write('\n')
}
