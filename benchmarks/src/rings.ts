// Builds the two ends of the bare rings, for Node and for CPython, with the compiler that builds the engine.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { benchmarks, root } from './paths.ts'

export const build = join(benchmarks, 'build')
const sources = join(benchmarks, 'drivers', 'rings')

export function buildRings(python: string, say: (text: string) => void): void {
  const include = 'import sysconfig; print(sysconfig.get_path("include"))'
  const pythonHeaders = execFileSync(python, ['-c', include], { encoding: 'utf8' }).trim()
  const nodeHeaders = join(root, 'node_modules', 'node-api-headers', 'include')
  compile('node_ring.cc', 'node_ring.node', nodeHeaders, say)
  compile('python_ring.cc', 'python_ring.so', pythonHeaders, say)
}

function compile(
  source: string,
  output: string,
  headers: string,
  say: (text: string) => void,
): void {
  const from = join(sources, source)
  const to = join(build, output)
  const inputs = [from, join(sources, 'ring_pair.h')]
  const newest = Math.max(...inputs.map((path) => statSync(path).mtimeMs))
  if (existsSync(to) && statSync(to).mtimeMs > newest) return
  say(`building ${output}`)
  mkdirSync(build, { recursive: true })
  const engine = join(root, 'core-native', 'src')
  const flags = ['-std=c++20', '-O2', '-fPIC', '-shared', `-I${engine}`, `-I${headers}`]
  execFileSync(process.env['CXX'] ?? 'g++', [...flags, from, '-o', to], { stdio: 'inherit' })
}
