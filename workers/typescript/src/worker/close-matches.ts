const shownMax = 8

/** Number of single-character edits between two words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change)
    }
    row = next
  }
  return row[b.length]!
}

/** A list of names for a message that says what exists, those most like the wanted one first. */
export function available(wanted: string, names: Iterable<string>): string {
  const lower = wanted.toLowerCase()
  const sorted = [...new Set(names)]
    .map((name) => ({ name, far: distance(lower, name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name)
  if (sorted.length === 0) return 'none'
  const shown = sorted.slice(0, shownMax).join(', ')
  return sorted.length > shownMax ? `${shown} and ${sorted.length - shownMax} more` : shown
}
