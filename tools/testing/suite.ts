// Runs the tests of one project and leaves their JUnit reports in results/<project>/<target>, where summary.ts counts them.
//   node tools/testing/suite.ts --project NAME --target test --folder DIR [--preset release] [-- filter...]
// With --preset the tests are those of core-native under ctest; otherwise Vitest runs *.test.ts and pytest test_*.py.
import { spawn } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { asPreset, build, buildFolder, coreNative } from '../native/cmake.ts'

const root = join(import.meta.dirname, '..', '..')
const timeoutMs = 15 * 60_000

const { values } = parseArgs({
  options: {
    project: { type: 'string' },
    target: { type: 'string' },
    folder: { type: 'string' },
    preset: { type: 'string' },
  },
})
const { project, target, folder, preset } = values
if (!project || !target || !folder) throw new Error('--project, --target and --folder are needed')
const results = join(root, 'results', project, target)

/** Exit code of a command in its own process group, which is killed as a whole when the watchdog fires. */
function run(command: string, args: string[], cwd = root): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    })
    const killGroup = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }
    const watchdog = setTimeout(() => {
      console.error(`${command} ran for more than ${timeoutMs / 60_000} minutes and is killed`)
      killGroup()
    }, timeoutMs)
    process.once('SIGINT', killGroup)
    process.once('SIGTERM', killGroup)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(watchdog)
      resolve(code ?? 1)
    })
  })
}

function has(folderPath: string, patterns: string[]): boolean {
  const ignored = new Set(['node_modules', 'build', '__pycache__'])
  const exclude = (name: string): boolean => ignored.has(name.split('/').at(-1) ?? '')
  return globSync(patterns, { cwd: join(root, folderPath), exclude }).length > 0
}

async function runCtest(): Promise<number> {
  const chosen = asPreset(preset)
  if (!build(chosen, 'native_tests')) return 1
  const reports = join(buildFolder(chosen), 'reports')
  rmSync(reports, { recursive: true, force: true })
  const code = await run(
    'ctest',
    ['--preset', chosen, '--no-tests=ignore', '--output-junit', join(results, 'ctest.xml')],
    coreNative,
  )
  if (existsSync(reports)) cpSync(reports, join(results, 'gtest'), { recursive: true })
  return code
}

function runVitest(): Promise<number> {
  const report = `--outputFile.junit=${join(results, 'vitest.xml')}`
  const config = join(root, 'tools', 'testing', 'vitest.config.ts')
  return run('vitest', ['run', '--root', join(root, folder!), '--config', config, report])
}

function runPytest(): Promise<number> {
  const report = `--junitxml=${join(results, 'pytest.xml')}`
  return run('python', [
    '-m',
    'pytest',
    '-q',
    '-c',
    'pyproject.toml',
    '--rootdir',
    root,
    report,
    folder!,
  ])
}

const suites: (() => Promise<number>)[] = []
if (preset) suites.push(runCtest)
else {
  if (has(folder, ['**/*.test.ts'])) suites.push(runVitest)
  if (has(folder, ['**/test_*.py', '**/*_test.py'])) suites.push(runPytest)
}

rmSync(results, { recursive: true, force: true })
mkdirSync(results, { recursive: true })
let code = 0
for (const suite of suites) code = (await suite()) || code
writeFileSync(join(results, 'exit.json'), `${JSON.stringify({ code, suites: suites.length })}\n`)
process.exitCode = code
