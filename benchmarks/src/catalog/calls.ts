import { type Calibrator, type Case, type CaseSketch, makeCases } from './case.ts'

const pairs = ['ts>py', 'py>py', 'ts>ts', 'py>ts']
const toPython = ['ts>py', 'py>py']
const withCpp = [...pairs, 'cpp>cpp']

const ratePerSecond = (microseconds: number): number => 1e6 / microseconds
const fromMillions = (millions: number): number => millions * 1e6

const oneFrameEcho: Calibrator = { calibrator: 'ring-echo-1', convert: ratePerSecond }
const deepEcho: Calibrator = { calibrator: 'ring-echo-1000', convert: fromMillions }
const futexAcross: Calibrator = { calibrator: 'futex-rtt-cross', convert: ratePerSecond }
const futexSame: Calibrator = { calibrator: 'futex-rtt-same', convert: ratePerSecond }

// The same number of actors on every peer. Ray's benchmark takes half of the CPUs, which on a small machine is one; n of 1
// would show nothing.
const fan = { servers: 2, batch: 2000 }
const smallFan = { servers: 2, batch: 20 }

const plain = { actor: 'Plain', method: 'echo' }
const deep = { ...plain, window: 1000 }

const sync: CaseSketch[] = [
  {
    name: 'actor-sync',
    unit: 'calls/s',
    does: 'one-at-a-time',
    parameters: plain,
    subjects: withCpp,
    hasRay: true,
    limits: { limit: 'rings', 'limit-cpp': oneFrameEcho, 'json-socket': 'socket' },
  },
  {
    // Both sleep between calls, on different CPUs: what a call costs when each one needs two wake-ups.
    name: 'actor-sync-nospin',
    unit: 'calls/s',
    does: 'one-at-a-time',
    parameters: { ...plain, isApart: true },
    subjects: withCpp,
    hasRay: true,
    limits: { limit: futexAcross },
    spins: false,
  },
  {
    name: 'actor-sync-one-cpu',
    unit: 'calls/s',
    does: 'one-at-a-time',
    parameters: plain,
    subjects: withCpp,
    limits: { limit: futexSame },
    isOnOneCpu: true,
  },
  {
    // One call per millisecond: neither side is awake when it comes.
    name: 'actor-sparse',
    unit: 'us',
    does: 'one-at-a-time',
    parameters: { ...plain, pauseMs: 1 },
    subjects: withCpp,
    hasRay: true,
    limits: { limit: { calibrator: 'futex-rtt-same' } },
  },
]

const async: CaseSketch[] = [
  {
    name: 'actor-async',
    unit: 'calls/s',
    does: 'in-flight',
    parameters: deep,
    subjects: withCpp,
    hasRay: true,
    limits: { limit: 'rings', 'limit-cpp': deepEcho, 'json-socket': 'socket' },
  },
  {
    name: 'actor-async-nospin',
    unit: 'calls/s',
    does: 'in-flight',
    parameters: { ...deep, isApart: true },
    subjects: withCpp,
    spins: false,
  },
  {
    name: 'actor-async-one-cpu',
    unit: 'calls/s',
    does: 'in-flight',
    parameters: deep,
    subjects: withCpp,
    isOnOneCpu: true,
  },
]

const fans: CaseSketch[] = [
  {
    name: 'actor-1n',
    unit: 'calls/s',
    does: 'fan',
    parameters: { ...fan, clients: 1, hasArgument: false },
    subjects: pairs,
    hasRay: true,
    small: smallFan,
  },
  {
    name: 'actor-nn',
    unit: 'calls/s',
    does: 'fan',
    parameters: { ...fan, clients: 4, hasArgument: false },
    subjects: pairs,
    hasRay: true,
    small: smallFan,
  },
  {
    name: 'actor-nn-arg',
    unit: 'calls/s',
    does: 'fan',
    parameters: { ...fan, clients: 2, hasArgument: true },
    subjects: pairs,
    hasRay: true,
    small: smallFan,
  },
]

const coroutines: CaseSketch[] = [
  {
    name: 'coroutine-sync',
    unit: 'calls/s',
    does: 'one-at-a-time',
    parameters: { actor: 'Coroutine', method: 'echo' },
    subjects: pairs,
    hasRay: true,
  },
  {
    name: 'coroutine-async',
    unit: 'calls/s',
    does: 'in-flight',
    parameters: { actor: 'Coroutine', method: 'echo', window: 1000 },
    subjects: pairs,
    hasRay: true,
  },
  {
    // Each call gives way to the event loop once before it returns.
    name: 'coroutine-async-suspending',
    unit: 'calls/s',
    does: 'in-flight',
    parameters: { actor: 'Coroutine', method: 'suspend', window: 1000 },
    subjects: pairs,
    hasRay: true,
  },
]

const growth: CaseSketch[] = [
  ...[1, 100, 10_000, 100_000].map((window): CaseSketch => ({
    name: `in-flight-${window}`,
    unit: 'us/call',
    does: 'in-flight',
    parameters: { ...plain, window },
    subjects: toPython,
    small: { window: Math.min(window, 200) },
  })),
  ...[1, 20, 200].map((actors): CaseSketch => ({
    name: `actors-${actors}`,
    unit: 'us/call',
    does: 'many-actors',
    parameters: { actors, inFlightEach: 200 },
    subjects: toPython,
    small: { actors: Math.min(actors, 2), inFlightEach: 10 },
  })),
]

const deaths: CaseSketch[] = [
  {
    // From SIGKILL to the failure of the call that was running, for an actor with so many bytes of memory of its own.
    name: 'death-notice',
    unit: 'us',
    does: 'death-notice',
    parameters: { bytes: 512 * 1024 * 1024, deaths: 10 },
    subjects: toPython,
    hasRay: true,
    small: { bytes: 1024 * 1024, deaths: 1 },
  },
]

export const calls: Case[] = makeCases('calls', [
  ...sync,
  ...async,
  ...fans,
  ...coroutines,
  ...growth,
  ...deaths,
])
