// What is fetched from the package registries: npm packages, among them Node 24, and the Python environment.
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupError, step } from './console.mjs'
import { findPython } from './needs.mjs'
import { ask, quietly } from './process.mjs'
import { contentOf, dropStamp, hash, isFresh, root, writeStamp } from './stamps.mjs'

const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node')
export const venv = join(root, '.venv')

/** PATH without node_modules, because `npm ci` removes the Node in there while it runs. */
function machinePath() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.filter((folder) => !folder.startsWith(join(root, 'node_modules'))).join(delimiter)
}

export async function ensureNpmPackages() {
  const wanted = hash(contentOf(join(root, 'package-lock.json')), process.platform, process.arch)
  if (isFresh('npm', wanted) && existsSync(join(root, 'node_modules'))) return
  dropStamp('npm')
  await step('installing npm packages', () =>
    quietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      env: { ...process.env, PATH: machinePath() },
      advice: [
        'Is the registry reachable (`npm ping`)? Is package-lock.json in step with each package.json (`npm install`)?',
      ],
    }),
  )
  await ensurePinnedNode()
  writeStamp('npm', wanted)
}

/** The package `node` fetches its binary in an install script; where scripts are off, the script is run here. */
async function ensurePinnedNode() {
  if (ask(pinnedNode, ['--version'])) return
  const script = join(root, 'node_modules', 'node', 'installArchSpecificPackage.js')
  if (!existsSync(script)) return
  await step('installing the pinned Node', () =>
    quietly(process.execPath, [script], { cwd: join(root, 'node_modules', 'node') }),
  )
}

/** The Node that runs everything after the set-up: the pinned one, or the machine's own if it is new enough. */
export function nodeBinary() {
  if (existsSync(pinnedNode)) return pinnedNode
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath
  throw new SetupError(
    `Node ${process.versions.node} is too old and the npm package \`node\` has no binary here`,
    ['Install Node 22.18 or newer, or run `npm rebuild node` and look at its output.'],
  )
}

export async function ensurePythonEnvironment() {
  const python = join(venv, 'bin', 'python')
  const wanted = hash(
    readFileSync(join(root, 'requirements.txt'), 'utf8'),
    root,
    process.env.THORNBACK_PYTHON,
  )
  if (isFresh('python', wanted) && existsSync(python)) return
  dropStamp('python')
  await step('making the Python environment .venv', async () => {
    // --clear, because an environment that was moved or whose Python went away cannot be mended.
    await quietly(findPython(), ['-m', 'venv', '--clear', venv], { cwd: root })
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
    await quietly(python, [...pip, '--requirement', 'requirements.txt'], {
      cwd: root,
      advice: [
        'Is the package index reachable (`.venv/bin/python -m pip download --no-deps pip`)?',
      ],
    })
  })
  writeStamp('python', wanted)
}
