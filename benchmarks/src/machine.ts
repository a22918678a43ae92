import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGib: number
  readonly kernel: string
  readonly node: string
  readonly python: string
  /** Load of one minute when the run began: above 0.3 other programs took part. */
  readonly loadBefore: number
  /** Whether the kernel gives shared memory pages of 2 MiB. */
  readonly sharedHugePages: string
}

export function lookAtMachine(python: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${release()} ${arch()}`,
    node: process.versions.node,
    python: execFileSync(python, ['-c', 'import platform; print(platform.python_version())'], {
      encoding: 'utf8',
    }).trim(),
    loadBefore: Math.round(loadavg()[0]! * 100) / 100,
    sharedHugePages: sharedHugePages(),
  }
}

function sharedHugePages(): string {
  try {
    const text = readFileSync('/sys/kernel/mm/transparent_hugepage/shmem_enabled', 'utf8')
    return /\[(\w+)\]/.exec(text)?.[1] ?? 'unknown'
  } catch {
    return 'none'
  }
}
