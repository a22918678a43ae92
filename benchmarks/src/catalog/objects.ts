import { type Case, type CaseSketch, makeCases } from './case.ts'

const toPython = ['ts>py', 'py>py']
const megabytes100 = 100_000_000

const small: CaseSketch[] = [
  { name: 'put-small', unit: 'puts/s', does: 'put', subjects: toPython, hasRay: true },
  { name: 'get-small', unit: 'gets/s', does: 'get', subjects: toPython, hasRay: true },
]

const large: CaseSketch[] = [
  {
    name: 'put-100mb',
    unit: 'GB/s',
    does: 'put-large',
    parameters: { bytes: megabytes100, isKept: false },
    subjects: toPython,
    hasRay: true,
    limits: { limit: { calibrator: 'memcpy-warm-100mb' } },
    small: { bytes: 1_000_000 },
  },
  {
    // Every put takes pages that nobody used before: the driver is new in each round and keeps what it puts.
    name: 'put-100mb-cold',
    unit: 'GB/s',
    does: 'put-large',
    parameters: { bytes: megabytes100, isKept: true },
    subjects: toPython,
    hasRay: true,
    limits: { limit: { calibrator: 'memcpy-fresh-100mb' } },
    isFresh: true,
    small: { bytes: 1_000_000 },
  },
  ...['1kib', '1gib'].map((size): CaseSketch => ({
    // The object lies in another process's arena; each get is through a ref that the driver has just received.
    name: `get-${size}`,
    unit: 'us',
    does: 'get-large',
    parameters: { bytes: size === '1gib' ? 1024 ** 3 : 1024 },
    subjects: toPython,
    hasRay: true,
    small: { bytes: size === '1gib' ? 1024 ** 2 : 1024 },
  })),
  {
    name: 'echo-1mb',
    unit: 'us',
    does: 'echo-bytes',
    parameters: { bytes: 1_000_000 },
    subjects: ['ts>py', 'py>py', 'ts>ts', 'py>ts'],
    hasRay: true,
    small: { bytes: 100_000 },
  },
]

const many: CaseSketch[] = [
  {
    name: 'get-10k-refs',
    unit: 'gets/s',
    does: 'get-refs',
    parameters: { refs: 10_000 },
    subjects: toPython,
    hasRay: true,
    small: { refs: 100 },
  },
  ...[1, 1000, 1_000_000].map((refs): CaseSketch => ({
    // Calls 1,000 in flight while so many other refs are alive.
    name: `live-refs-${refs}`,
    unit: 'us/call',
    does: 'live-refs',
    parameters: { refs, window: 1000 },
    subjects: toPython,
    small: { refs: Math.min(refs, 200), window: 20 },
  })),
]

export const objects: Case[] = makeCases('objects', [...small, ...large, ...many])
