// Installs workers/python editable into .venv: scikit-build-core builds the extension, the sources stay where they are.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './cmake.ts'

const project = join(root, 'workers', 'python')
const python = join(root, '.venv', 'bin', 'python')

if (!existsSync(join(project, 'pyproject.toml'))) {
  console.log('workers/python has no pyproject.toml: nothing to install')
} else {
  // The build requirements are pinned in requirements.txt and already in .venv, so no isolated environment is made.
  const options = [
    '--no-build-isolation',
    '--no-deps',
    '--no-index',
    '--quiet',
    '--disable-pip-version-check',
  ]
  const result = spawnSync(python, ['-m', 'pip', 'install', ...options, '--editable', project], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CMAKE_BUILD_PARALLEL_LEVEL: '2' },
  })
  process.exitCode = result.status ?? 1
}
