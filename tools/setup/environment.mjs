// The environment that every build, test and program of the workspace runs in.
import { delimiter, dirname, join } from 'node:path'
import { checkNeeds, findCompiler } from './needs.mjs'
import { ensureNpmPackages, ensurePythonEnvironment, nodeBinary, venv } from './packages.mjs'
import { contentOf, hash, root, withLock } from './stamps.mjs'

/** Does all set-up that is not done yet, and returns the environment for what runs next. */
export async function setUp(options = {}) {
  await withLock('setup', async () => {
    await checkNeeds(options)
    await ensureNpmPackages()
    await ensurePythonEnvironment()
  })
  return environment()
}

function environment() {
  const compiler = findCompiler()
  const folders = [join(venv, 'bin'), dirname(nodeBinary()), join(root, 'node_modules', '.bin')]
  return {
    ...process.env,
    PATH: [...folders, process.env.PATH].join(delimiter),
    VIRTUAL_ENV: venv,
    CXX: compiler.cxx,
    CC: compiler.cc,
    // Nx takes these two into the hash of native targets: another compiler or Python rebuilds them.
    THORNBACK_TOOLCHAIN: hash(compiler.cxx, compiler.version),
    THORNBACK_PYTHON_ENVIRONMENT: hash(contentOf(join(venv, 'pyvenv.cfg'))),
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
    NX_TUI: 'false',
    NX_SKIP_LOG_GROUPING: 'true',
    FORCE_COLOR: process.env.FORCE_COLOR ?? (process.stdout.isTTY ? '1' : '0'),
  }
}
