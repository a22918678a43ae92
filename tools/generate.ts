// Writes the files that are generated from proto/ and committed; --check only compares and fails where they differ.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })

/** Writes its files below `output`, which stands for the root of the repository. */
type Generator = { from: string; into: string; write: (output: string) => void }

function run(command: string, args: string[]): string {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${result.error?.message ?? result.stderr}`)
  return result.stdout
}

const generators: Generator[] = [
  {
    from: 'proto/frames.fbs',
    into: 'core-native/src/channel/generated',
    write(output) {
      const folder = join(output, this.into)
      run('flatc', ['--cpp', '--scoped-enums', '-o', folder, this.from])
    },
  },
]

let stale = 0
for (const generator of generators.filter(({ from }) => existsSync(join(root, from)))) {
  if (!values.check) {
    mkdirSync(join(root, generator.into), { recursive: true })
    generator.write(root)
    console.log(`${generator.from} -> ${generator.into}`)
    continue
  }
  const output = mkdtempSync(join(tmpdir(), 'thornback-generate-'))
  try {
    mkdirSync(join(output, generator.into), { recursive: true })
    generator.write(output)
    for (const name of readdirSync(join(output, generator.into))) {
      const path = join(generator.into, name)
      const committed = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''
      if (committed === readFileSync(join(output, path), 'utf8')) continue
      stale += 1
      console.error(
        `${path} does not match ${generator.from}: run \`npm run generate\` and commit ${dirname(path)}`,
      )
    }
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

// The error table and the golden vectors have a generator of their own.
const codegen = ['tools/codegen/main.ts', ...(values.check ? ['--check'] : [])]
if (spawnSync('node', codegen, { cwd: root, stdio: 'inherit' }).status !== 0) stale += 1
process.exitCode = stale > 0 ? 1 : 0
