// Configures and builds one preset of core-native.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')
export const coreNative = join(root, 'core-native')

export const presets = ['release', 'debug', 'asan', 'tsan'] as const
export type Preset = (typeof presets)[number]

export function asPreset(name: string | undefined): Preset {
  const preset = presets.find((known) => known === name)
  if (!preset)
    throw new Error(`--preset must be one of ${presets.join(', ')}, not ${name ?? 'absent'}`)
  return preset
}

export function buildFolder(preset: Preset): string {
  return join(coreNative, 'build', preset)
}

/** Runs a shell script with the preset as $1, alone in the preset's build folder: Ninja has no lock of its own. */
function locked(preset: Preset, script: string, ...args: string[]): boolean {
  mkdirSync(join(coreNative, 'build'), { recursive: true })
  const lock = join(coreNative, 'build', `${preset}.lock`)
  const command = [lock, 'nice', 'bash', '-c', script, 'build', preset, ...args]
  return spawnSync('flock', command, { cwd: coreNative, stdio: 'inherit' }).status === 0
}

const configuring = 'cmake --preset "$1" --log-level=WARNING >/dev/null'

/** Writes the build files and compile_commands.json. */
export function configure(preset: Preset): boolean {
  return locked(preset, configuring)
}

/** Builds and returns true, or false after the compiler has said why not. */
export function build(preset: Preset, target = 'all'): boolean {
  return locked(preset, `${configuring} && exec cmake --build --preset "$1" --target "$2"`, target)
}
