import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importCycles, includeLayers } from './layers.ts'
import { type Exception, judge } from './ratchet.ts'
import { cppFunctions, pythonFunctions, sizes, typescriptFunctions } from './sizes.ts'
import { type Finding, type SourceFile, sourceFiles } from './source-files.ts'
import { words } from './words.ts'

function check(files: SourceFile[]): Finding[] {
  return [
    ...files.flatMap((file) => [...sizes(file), ...includeLayers(file), ...words(file)]),
    ...importCycles(files),
  ]
}

test('the repository is tidy', () => {
  const files = sourceFiles()
  expect(files.map((file) => file.path)).toContain('tools/tidy/tidy.test.ts')
  const listed = readFileSync(join(import.meta.dirname, 'exceptions.json'), 'utf8')
  expect(judge(check(files), JSON.parse(listed) as Exception[])).toEqual([])
})

const repeat = (line: string, times: number): string => `${line}\n`.repeat(times)

describe('each rule finds its violation, and leaves the neighbouring good case alone', () => {
  const cases: { rule: string; path: string; bad: string; good: string }[] = [
    { rule: 'file-size', path: 'a/b.ts', bad: repeat('// x', 501), good: repeat('// x', 500) },
    {
      rule: 'function-size',
      path: 'a/b.ts',
      bad: `export class A {\n  go() {\n${repeat('    go()', 69)}  }\n}\n`,
      good: `describe('x', () => {\n${repeat('  go()', 80)}})\n`,
    },
    {
      rule: 'function-size',
      path: 'a/b.py',
      bad: `class A:\n    async def go(\n        self,\n    ):\n${repeat('        go()', 68)}`,
      good: `def go():\n${repeat('    go()', 69)}\n${repeat('go()', 80)}`,
    },
    {
      rule: 'function-size',
      path: 'core-native/src/base/b.cc',
      bad: `namespace a {\nStatus A::go(int x) const {\n  if (x) {\n${repeat('    go("}");', 67)}  }\n}\n}\n`,
      good: `namespace a {\nclass A {\n${repeat('  void go() { x(); }', 80)}};\n}\n`,
    },
    {
      rule: 'include-layers',
      path: 'core-native/src/store/arena.h',
      bad: '#include "channel/ring.h"\n',
      good: '#include "shm/memory_file.h"\n#include "store/arena.h"\n#include <sys/mman.h>\n',
    },
    {
      rule: 'include-layers',
      path: 'core-native/addon/endpoint.cc',
      bad: '#include "runtime/endpoint.h"\n',
      good: '#include "thornback.h"\n',
    },
    { rule: 'leftover', path: 'a/b.py', bad: '# TODO: later\n', good: '# todos = []\n' },
    {
      rule: 'glossary',
      path: 'a/b.md',
      bad: 'The raylet starts workers.\n',
      good: 'The node agent starts workers.\n',
    },
    {
      rule: 'glossary',
      path: 'a/b.cc',
      bad: 'struct ObjectID {};\n',
      good: 'struct StorageId {};\n',
    },
    { rule: 'place', path: 'a/b.sh', bad: 'cd /home/me/thornback\n', good: 'cd "$HOME/work/"\n' },
    {
      rule: 'place',
      path: 'package-lock.json',
      bad: '"https://registry.npmjs.org/a"\n',
      good: '"https://example.org/a"\n',
    },
    {
      rule: 'place',
      path: 'benchmarks/results/latest.json',
      bad: '{"error": "/home/me/ray died"}\n',
      good: '{"error": "the raylet died"}\n',
    },
    {
      rule: 'import-cycle',
      path: 'a/b.ts',
      bad: "import { a } from './b.ts'\n",
      good: "import type { a } from './b.ts'\n",
    },
  ]
  test.each(cases)('$rule in $path', ({ rule, path, bad, good }) => {
    expect(check([{ path, text: bad }]).map((finding) => finding.rule)).toContain(rule)
    expect(check([{ path, text: good }])).toEqual([])
  })
})

test('a cycle over several files is found once', () => {
  const files = [
    { path: 'a/x.ts', text: "import { y } from './y.ts'\n" },
    { path: 'a/y.ts', text: "export { z } from '../b/z.ts'\n" },
    { path: 'b/z.ts', text: "import {\n  x,\n} from '../a/x.ts'\n" },
  ]
  expect(importCycles(files).map((finding) => finding.message)).toEqual([
    'a/x.ts -> a/y.ts -> b/z.ts -> a/x.ts',
  ])
})

test('functions are measured from their first line to their last', () => {
  const typescript = 'const a = 1\nfunction go(\n  x: number,\n) {\n  return x\n}\n'
  expect(typescriptFunctions({ path: 'a.ts', text: typescript })).toEqual([
    { name: 'go', line: 2, lines: 5 },
  ])
  const python = 'x = 1\ndef go(\n    x,\n):\n    return x\n\n\ny = 2\n'
  expect(pythonFunctions({ path: 'a.py', text: python })).toEqual([
    { name: 'go', line: 2, lines: 4 },
  ])
  const cpp = 'namespace a {\n\nvoid A::go(int x) {\n  // }\n  each([&] { f(); });\n}\n}\n'
  expect(cppFunctions({ path: 'a.cc', text: cpp })).toEqual([{ name: 'A::go', line: 3, lines: 4 }])
})

describe('the ratchet', () => {
  const finding: Finding = { rule: 'file-size', path: 'a.ts', size: 600, message: '600 lines' }
  const entry = (size: number): Exception => ({
    rule: 'file-size',
    path: 'a.ts',
    size,
    why: 'test',
  })

  test('accepts what is listed, exactly', () => expect(judge([finding], [entry(600)])).toEqual([]))
  test('refuses growth', () =>
    expect(judge([finding], [entry(599)])).toEqual(['file-size: a.ts: 600 lines']))
  test('refuses a wider entry than needed', () => {
    expect(judge([finding], [entry(700)])).toEqual([
      'exceptions.json: file-size a.ts needs 600 only: lower it',
    ])
  })
  test('refuses an entry that is not needed', () => {
    expect(judge([], [entry(600)])).toEqual([
      'exceptions.json: file-size a.ts is no longer needed: remove it',
    ])
  })
})
