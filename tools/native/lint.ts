// clang-format and clang-tidy over core-native and the Python extension.
// node tools/native/lint.ts [--fix]
// clang-tidy takes seconds per file, so a file is checked again only when it, a header of ours that it reaches, or the
// settings changed; what passed is remembered in .cache/clang-tidy.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { buildFolder, configure, coreNative, root } from './cmake.ts'

const { values } = parseArgs({ options: { fix: { type: 'boolean', default: false } } })
const cache = join(root, '.cache', 'clang-tidy')
const compileDatabase = join(buildFolder('release'), 'compile_commands.json')

function sources(): string[] {
  const patterns = ['core-native/**/*.{h,cc,c}', 'workers/{python,cpp,java}/**/*.{h,cc,cpp,hpp}']
  const excluded = new Set(['build', 'generated', 'node_modules'])
  const files = globSync(patterns, {
    cwd: root,
    exclude: (name) => excluded.has(name.split('/').at(-1) ?? ''),
  })
  return files.filter((path) => !path.includes('_generated.')).sort()
}

/** Rewrites the files, or names those that the formatter would change. */
function format(files: string[]): boolean {
  if (files.length === 0) return true
  if (values.fix)
    return (
      spawnSync('clang-format-15', ['-i', ...files], { cwd: root, stdio: 'inherit' }).status === 0
    )
  const result = spawnSync('clang-format-15', ['--dry-run', ...files], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const found = result.stderr.matchAll(/^(\S+?):\d+:\d+: (?:warning|error):/gm)
  const changed = new Set([...found].map((match) => match[1]))
  for (const path of changed) console.log(`clang-format: ${path} is not formatted: npm run format`)
  return result.status === 0 && changed.size === 0
}

/** Content of a file and of everything of ours that it includes, each once. */
function reach(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen
  seen.add(path)
  for (const [, name] of readFileSync(path, 'utf8').matchAll(/^#include "([^"]+)"/gm)) {
    const places = [
      dirname(path),
      ...['src', 'include', 'addon', '.'].map((folder) => join(coreNative, folder)),
    ]
    const found = places
      .map((folder) => join(folder, name ?? ''))
      .find((candidate) => existsSync(candidate))
    if (found) reach(found, seen)
  }
  return seen
}

function tidyKey(path: string, flags: string): string {
  const sum = createHash('sha256')
    .update(flags)
    .update(readFileSync(join(root, '.clang-tidy')))
  for (const file of [...reach(path)].sort())
    sum.update(file.slice(root.length)).update(readFileSync(file))
  return sum.digest('hex')
}

function tidyOne(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // The unknown options are g++'s; clang reads the same command lines.
    const args = [
      '-p',
      dirname(compileDatabase),
      '--quiet',
      '--extra-arg=-Wno-unknown-warning-option',
      path,
    ]
    const child = spawn('nice', ['clang-tidy-15', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0) console.log(`clang-tidy: ${relative(root, path)}\n${output}`)
      resolve(code === 0)
    })
  })
}

async function tidy(): Promise<boolean> {
  mkdirSync(cache, { recursive: true })
  const entries = JSON.parse(readFileSync(compileDatabase, 'utf8')) as {
    file: string
    command: string
  }[]
  const files = entries.filter(
    ({ file }) => file.startsWith(join(coreNative, '/')) && !file.includes('/build/'),
  )
  const pending = files
    .map(({ file, command }) => ({ file, stamp: join(cache, tidyKey(file, command)) }))
    .filter(({ stamp }) => !existsSync(stamp))
  const start = performance.now()
  console.log(`clang-tidy: ${pending.length} of ${files.length} files to check`)
  let good = true
  const worker = async (): Promise<void> => {
    for (let next = pending.pop(); next; next = pending.pop()) {
      if (await tidyOne(next.file)) writeFileSync(next.stamp, '')
      else good = false
    }
  }
  await Promise.all([worker(), worker()])
  console.log(`clang-tidy: ended after ${Math.round((performance.now() - start) / 1000)} s`)
  return good
}

const formatted = format(sources())
const tidied = values.fix ? true : configure('release') && (await tidy())
process.exitCode = formatted && tidied ? 0 : 1
