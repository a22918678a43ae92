// Installs workers/python editable into .venv: scikit-build-core builds the extension, the sources stay where they are.
// The extension links the engine that core-native:build has built just before; Nx runs that first.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildFolder, root } from './cmake.ts'

const project = join(root, 'workers', 'python')
const engine = join(buildFolder('release'), 'lib', 'libthornback_core.a')
const python = join(root, '.venv', 'bin', 'python')

if (!existsSync(join(project, 'pyproject.toml'))) {
  console.log('workers/python has no pyproject.toml: nothing to install')
} else if (!existsSync(engine)) {
  console.error('the engine is not built: npm run nx -- run workers-python:build builds it first')
  process.exitCode = 1
} else {
  // The build requirements are pinned in requirements.txt and already in .venv, so no isolated environment is made.
  const options = [
    '--no-build-isolation',
    '--no-deps',
    '--no-index',
    '--quiet',
    '--disable-pip-version-check',
    `--config-settings=cmake.define.THORNBACK_CORE_LIBRARY=${engine}`,
  ]
  const result = spawnSync(python, ['-m', 'pip', 'install', ...options, '--editable', project], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CMAKE_BUILD_PARALLEL_LEVEL: '2' },
  })
  process.exitCode = result.status ?? 1
}
