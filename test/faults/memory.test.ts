// Machines with too little: the engine's memory has no names, so /dev/shm does not matter; a store that cannot fit is refused.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { totalmem } from 'node:os'
import { Program } from './support/program.ts'
import { fixtures } from './support/session.ts'

const program = join(fixtures, 'small_machine.ts')
const mib = 1024 * 1024

/** Runs the driver where /dev/shm is what the mount options say. */
function withSharedMemory(mountOptions: string): Program {
  const script = `mount -t tmpfs -o "$1" tmpfs /dev/shm && df --output=size /dev/shm && exec "$2" "$3" "$4"`
  const inside = ['sh', '-c', script, 'sh', mountOptions, process.execPath, program]
  return new Program(['unshare', '--mount', ...inside], { args: [String(128 * mib)] })
}

describe.runIf(process.getuid!() === 0)('/dev/shm', () => {
  test.each([
    ['of one page', 'size=4096'],
    ['that is read-only', 'size=4096,ro'],
  ])('%s changes nothing: the engine does not use it', async (_what, mountOptions) => {
    using run = withSharedMemory(mountOptions)
    const { status, stdout, stderr } = await run.ended
    expect(stderr).toBe('')
    // The mount is in force.
    expect(stdout).toMatch(/\n\s*4\n/)
    expect(stdout).toContain('outcome fine')
    expect(status).toBe(0)
  })
})

test('a store larger than the machine is refused with need, has and the fix', async () => {
  const wanted = 64 * totalmem()
  using run = new Program([process.execPath, program], { args: [String(wanted)] })
  const { stdout } = await run.ended
  const { code, message, fault } = JSON.parse(stdout.replace(/^outcome /, '')) as Record<
    string,
    string
  >
  expect({ code, fault }).toEqual({ code: 'RESOURCE_LIMIT', fault: 'environment' })
  expect(message).toContain(`needs ${wanted} bytes of memory, has `)
  expect(message).toContain('smaller store size')
  await run.vanishes()
})

test('too few descriptors are an error with need, has and the fix, or no error at all', async () => {
  const script = 'ulimit -n 40 && exec "$0" "$1" "$2"'
  using run = new Program(['sh', '-c', script, process.execPath, program, String(64 * mib)])
  const { stdout } = await run.ended
  if (stdout !== 'outcome fine\n') {
    const { code, message } = JSON.parse(stdout.replace(/^outcome /, '')) as Record<string, string>
    expect(['RESOURCE_LIMIT', 'OUT_OF_MEMORY', 'WORKER_START_FAILED', 'SYSTEM_ERROR']).toContain(
      code,
    )
    expect(message!.length).toBeGreaterThan(20)
  }
  await run.vanishes()
})
