// Counts in JUnit reports, as ctest, GoogleTest, pytest and Vitest write them.

export interface Counts {
  passed: number
  failed: number
  skipped: number
  /** `class name` of each test that failed. */
  failures: string[]
}

export const none: Readonly<Counts> = { passed: 0, failed: 0, skipped: 0, failures: [] }

export interface TestCase {
  name: string
  outcome: 'passed' | 'failed' | 'skipped'
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function attribute(tag: string, name: string): string {
  const text = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => entities[entity] ?? '')
}

export function testCases(xml: string): TestCase[] {
  // Captured output may hold anything, also things that look like tags.
  const plain = xml
    .replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, '')
    .replace(/<(system-out|system-err)\b[^>]*>[\s\S]*?<\/\1>/g, '')
  return plain
    .split(/<testcase\b/)
    .slice(1)
    .map((part) => {
      const head = part.slice(0, part.indexOf('>'))
      const body = part.slice(
        0,
        part.includes('</testcase>') ? part.indexOf('</testcase>') : undefined,
      )
      const name = [attribute(head, 'classname'), attribute(head, 'name')].filter(Boolean).join(' ')
      const skippedByAttribute =
        /\b(status="(notrun|disabled)"|result="(skipped|suppressed)")/.test(head)
      if (/<(failure|error)\b/.test(body) || /\bstatus="fail"/.test(head))
        return { name, outcome: 'failed' }
      if (/<skipped\b/.test(body) || skippedByAttribute) return { name, outcome: 'skipped' }
      return { name, outcome: 'passed' }
    })
}

export function count(cases: TestCase[]): Counts {
  const of = (outcome: string): TestCase[] => cases.filter((test) => test.outcome === outcome)
  return {
    passed: of('passed').length,
    failed: of('failed').length,
    skipped: of('skipped').length,
    failures: of('failed').map((test) => test.name),
  }
}

export function add(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...a.failures, ...b.failures],
  }
}
