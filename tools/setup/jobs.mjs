// The jobs behind the npm scripts. Each does the set-up it needs, so each works on a fresh clone.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError, step } from './console.mjs'
import { setUp } from './environment.mjs'
import { nodeBinary, venv } from './packages.mjs'
import { foreground, quietly } from './process.mjs'
import { isFresh, root, treeState, withLock, writeStamp } from './stamps.mjs'

const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js')

function runNx(args, env) {
  return foreground(nodeBinary(), [nx, ...args], { cwd: root, env })
}

function runScript(path, args, env) {
  return foreground(nodeBinary(), [join(root, path), ...args], { cwd: root, env })
}

// What the build reads and what it leaves; while none of it has changed, `start` and `bench` need not even ask Nx.
const buildInputs = [
  'core-native',
  'workers',
  'packages',
  'proto',
  'nx.json',
  'package-lock.json',
  'requirements.txt',
]
const buildOutputs = [
  'core-native/build/release/lib',
  'core-native/build/release/programs',
  '.cache/setup/python.stamp',
]
const buildState = () => treeState(buildInputs) + treeState(buildOutputs, { skip: new Set() })

async function builtEnvironment() {
  const env = await setUp()
  if (isFresh('build', buildState())) return env
  await withLock('build', () =>
    step('building the engine and its bindings (the first time takes minutes)', () =>
      quietly(nodeBinary(), [nx, 'run-many', '--targets=build', '--outputStyle=static'], {
        cwd: root,
        env,
      }),
    ),
  )
  writeStamp('build', buildState())
  return env
}

/** Runs test targets through Nx, then adds up their reports. */
async function test(targets, args) {
  const env = await setUp()
  return withLock('test', async () => {
    // Nx brings back the reports of targets it replays from its cache; what is absent afterwards did not run.
    rmSync(join(root, 'results'), { recursive: true, force: true })
    const code = await runNx(
      ['run-many', `--targets=${targets}`, '--outputStyle=static', '--nxBail=false', ...args],
      env,
    )
    const counted = await runScript(
      'tools/testing/summary.ts',
      [`--targets=${targets}`, ...args],
      env,
    )
    return code || counted
  })
}

export const jobs = {
  async setup() {
    await setUp({ lint: true })
    return 0
  },

  async start(args) {
    const env = await builtEnvironment()
    const main = 'examples/automl/main.ts'
    if (!existsSync(join(root, main))) throw new SetupError(`${main} is not there`)
    return runScript(main, args, env)
  },

  test: (args) => test('test', args),
  'test:sanitizers': (args) => test('test-asan,test-tsan', args),

  async build(args) {
    return runNx(['run-many', '--targets=build', '--outputStyle=static', ...args], await setUp())
  },

  async lint(args) {
    const env = await setUp({ lint: true })
    return runNx(
      ['run-many', '--targets=lint', '--outputStyle=static', '--nxBail=false', ...args],
      env,
    )
  },

  async format() {
    return runScript('tools/format.ts', [], await setUp({ lint: true }))
  },

  async generate(args) {
    return runScript('tools/generate.ts', args, await setUp({ lint: true }))
  },

  async bench(args) {
    const env = await builtEnvironment()
    const main = 'benchmarks/main.ts'
    if (!existsSync(join(root, main))) throw new SetupError(`${main} is not there`)
    return runScript(main, args, env)
  },

  async native(args) {
    return runScript('tools/native/test.ts', args, await setUp())
  },

  async nx(args) {
    return runNx(args, await setUp())
  },

  /**
   * Any command in the environment of the workspace: its Node, its Python, its tools first on PATH. It runs in the folder where
   * npm was called, which npm itself leaves.
   */
  async exec([command, ...args]) {
    if (!command) throw new SetupError('say which command: npm run exec -- <command> [argument...]')
    return foreground(command, args, { cwd: process.env.INIT_CWD, env: await setUp() })
  },

  /** Removes what was built and the cache of it; `--all` also what was installed. */
  async clean(args) {
    const built = [
      'core-native/build',
      'workers/python/build',
      'results',
      '.nx',
      '.cache/setup/build.stamp',
    ]
    const installed = ['node_modules', venv.slice(root.length + 1), '.venv-ray', '.cache']
    for (const path of args.includes('--all') ? [...built, ...installed] : built) {
      rmSync(join(root, path), { recursive: true, force: true })
    }
    return 0
  },
}
