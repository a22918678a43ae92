// Exceptions: rule and path of a known finding, for sizes with the lines it may have. The list only shrinks: a finding that
// is not listed fails, and so does an entry that is wider than needed.
import { type Finding } from './source-files.ts'

export interface Exception {
  rule: string
  path: string
  size?: number
  why: string
}

export function judge(findings: Finding[], exceptions: Exception[]): string[] {
  const key = ({ rule, path }: { rule: string; path: string }): string => `${rule} ${path}`
  const known = new Map(exceptions.map((entry) => [key(entry), entry]))
  const problems = findings
    .filter((finding) => {
      const entry = known.get(key(finding))
      return !entry || (finding.size ?? 0) > (entry.size ?? 0)
    })
    .map(({ rule, path, message }) => `${rule}: ${path.split('#')[0]}: ${message}`)
  for (const entry of exceptions) {
    const matching = findings.filter((finding) => key(finding) === key(entry))
    if (matching.length === 0)
      problems.push(`exceptions.json: ${key(entry)} is no longer needed: remove it`)
    const largest = Math.max(0, ...matching.map((finding) => finding.size ?? 0))
    if (matching.length > 0 && largest < (entry.size ?? 0)) {
      problems.push(`exceptions.json: ${key(entry)} needs ${largest} only: lower it`)
    }
  }
  return problems
}
