// What the machine itself must have: found, or installed with apt-get where that is allowed, or named with the command.
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupError, say, step } from './console.mjs'
import { ask, quietly } from './process.mjs'
import { hash, isFresh, writeStamp } from './stamps.mjs'

/** Path of a program on PATH, or undefined. */
export function which(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      continue
    }
  }
  return undefined
}

function version(text) {
  return (
    /(\d+)\.(\d+)/
      .exec(text ?? '')
      ?.slice(1)
      .map(Number) ?? [0, 0]
  )
}

function atLeast(found, major, minor) {
  return found[0] > major || (found[0] === major && found[1] >= minor)
}

function hasHeader(path) {
  return ['/usr/include', '/usr/local/include'].some((folder) => existsSync(join(folder, path)))
}

/** The compiler for C++ (and the C one that belongs to it), the plain name first. */
export function findCompiler() {
  const names = [process.env.CXX, 'g++', 'g++-14', 'g++-13', 'g++-12'].filter(Boolean)
  for (const name of names) {
    const found = ask(name, ['-dumpfullversion', '-dumpversion'])
    if (found && atLeast(version(`${found}.0`), 12, 0)) {
      return { cxx: name, cc: process.env.CC ?? name.replace('g++', 'gcc'), version: found }
    }
  }
  return undefined
}

const pythonProbe = `
import sys, os, venv, ensurepip, sysconfig
assert sys.version_info >= (3, 10)
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
print(sys.version)`

/** A Python of 3.10 or newer with venv, pip and headers. THORNBACK_PYTHON names another one. */
export function findPython() {
  const names = [
    process.env.THORNBACK_PYTHON,
    'python3',
    '/usr/bin/python3',
    'python3.13',
    'python3.12',
    'python3.11',
    'python3.10',
  ]
  for (const name of names.filter(Boolean)) {
    if (ask(name, ['-c', pythonProbe])) return name
  }
  return undefined
}

const needs = [
  {
    title: 'g++ 12 or newer',
    found: () => Boolean(findCompiler()),
    packages: () => (existsSync('/etc/lsb-release') ? ['g++-12', 'gcc-12'] : ['g++']),
  },
  {
    title: 'cmake 3.25 or newer',
    found: () => atLeast(version(ask('cmake', ['--version'])), 3, 25),
    packages: () => ['cmake'],
  },
  { title: 'ninja', found: () => Boolean(which('ninja')), packages: () => ['ninja-build'] },
  {
    title: 'Python 3.10 or newer with venv and headers',
    found: () => Boolean(findPython()),
    packages: () => ['python3', 'python3-venv', 'python3-dev'],
  },
  { title: 'git', found: () => Boolean(which('git')), packages: () => ['git'] },
  {
    title: 'the headers of FlatBuffers',
    found: () => hasHeader('flatbuffers/flatbuffers.h'),
    packages: () => ['libflatbuffers-dev'],
  },
  {
    title: 'flatc',
    found: () => Boolean(which('flatc')),
    packages: () => ['flatbuffers-compiler'],
  },
  {
    title: 'GoogleTest and GoogleMock',
    found: () => hasHeader('gtest/gtest.h') && hasHeader('gmock/gmock.h'),
    packages: () => ['libgtest-dev', 'libgmock-dev'],
  },
]

const lintNeeds = [
  {
    title: 'clang-format-15',
    found: () => Boolean(which('clang-format-15')),
    packages: () => ['clang-format-15'],
  },
  {
    title: 'clang-tidy-15',
    found: () => Boolean(which('clang-tidy-15')),
    packages: () => ['clang-tidy-15'],
  },
]

/** How this user may run apt-get: a command prefix, or undefined when it may not. */
function aptPrefix() {
  if (!which('apt-get')) return undefined
  if (process.getuid?.() === 0) return []
  return which('sudo') && ask('sudo', ['-n', 'true']) !== undefined ? ['sudo', '-n'] : undefined
}

async function install(packages, prefix) {
  const environment = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-o',
    'DPkg::Lock::Timeout=300',
  ]
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, ...environment, ...args]
    return quietly(command, rest, {
      advice: ['Install these packages by hand, then run the command again.'],
    })
  }
  const wanted = ['install', '--yes', '--no-install-recommends', ...packages]
  await step(`installing ${packages.join(' ')} with apt-get`, async () => {
    try {
      await apt(...wanted)
    } catch {
      // The package lists are absent or old.
      await apt('update')
      await apt(...wanted)
    }
  })
}

function fingerprint(list) {
  const programs = [
    'g++',
    'cmake',
    'ninja',
    'python3',
    'git',
    'flatc',
    'clang-format-15',
    'clang-tidy-15',
  ]
  const paths = programs
    .map(which)
    .map((path) => (path ? `${path} ${statSync(path).mtimeMs}` : 'none'))
  const headers = ['flatbuffers/flatbuffers.h', 'gtest/gtest.h', 'gmock/gmock.h'].map(hasHeader)
  const chosen = [process.env.CXX, process.env.CC, process.env.THORNBACK_PYTHON]
  return hash(
    list.map((need) => need.title),
    ...paths,
    ...headers,
    ...chosen,
  )
}

/** Checks the machine; `lint` adds what only lint and format use. Throws a SetupError that names what is missing. */
export async function checkNeeds({ lint = false } = {}) {
  const list = lint ? [...needs, ...lintNeeds] : needs
  const stamp = lint ? 'needs-lint' : 'needs'
  if (isFresh(stamp, fingerprint(list))) return
  const missing = list.filter((need) => !need.found())
  if (missing.length > 0) {
    const packages = missing.flatMap((need) => need.packages())
    say(`this machine lacks ${missing.map((need) => need.title).join(', ')}`)
    const prefix = aptPrefix()
    const byHand = `sudo apt-get install --yes ${packages.join(' ')}`
    if (!prefix) {
      throw new SetupError(
        `missing on this machine: ${missing.map((need) => need.title).join(', ')}`,
        [`On Debian or Ubuntu, install them with:  ${byHand}`, 'and run the command again.'],
      )
    }
    await install(packages, prefix)
    const still = missing.filter((need) => !need.found()).map((need) => need.title)
    if (still.length > 0) {
      throw new SetupError(`still missing after \`${byHand}\`: ${still.join(', ')}`, [
        'This distribution has no version that is new enough; install one and put it first on PATH.',
      ])
    }
  }
  writeStamp(stamp, fingerprint(list))
}
