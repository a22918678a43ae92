import { type Case, makeCases } from './case.ts'

const toPython = ['ts>py', 'py>py']
const mebibyte = 2 ** 20

export const flow: Case[] = makeCases('flow', [
  {
    // A producer that could be many times faster than its actor, and of which nothing is configured: calls finished per second,
    // divided by those with a window of 1,000.
    name: 'flood',
    unit: 'ratio',
    does: 'flood',
    parameters: { microseconds: 20, bytes: 400, isLimited: true },
    subjects: toPython,
    isFresh: true,
  },
  {
    // The control: without limits memory grows.
    name: 'flood-unlimited',
    unit: 'MiB',
    does: 'flood',
    parameters: { microseconds: 20, bytes: 400, isLimited: false, callsMax: 250_000 },
    subjects: toPython,
    isFresh: true,
    small: { callsMax: 10_000 },
  },
  {
    // p99 of single calls beside a caller that floods the actor, divided by that beside one with one call in flight.
    name: 'fairness',
    unit: 'ratio',
    does: 'fairness',
    parameters: { microseconds: 50 },
    subjects: toPython,
  },
  {
    name: 'health-under-load',
    unit: 'ms',
    does: 'health',
    parameters: { actor: 'Slow', calls: 100, slowMs: 100 },
    subjects: ['ts>py', 'py>py', 'ts>ts', 'py>ts'],
    small: { slowMs: 20 },
  },
  {
    name: 'health-under-load-threads',
    unit: 'ms',
    does: 'health',
    parameters: { actor: 'SlowThreads', calls: 100, slowMs: 100 },
    subjects: toPython,
    small: { slowMs: 20 },
  },
  {
    // From SIGKILL to the first answer of the next life, while calls with retries are always in flight.
    name: 'failover',
    unit: 'ms',
    does: 'failover',
    parameters: { kills: 20, livesMs: 1100, window: 16 },
    subjects: toPython,
    rounds: 1,
    patienceSeconds: 400,
    small: { kills: 3, livesMs: 100 },
  },
  {
    name: 'task-kills',
    unit: 'tasks/s',
    does: 'task-kills',
    parameters: { tasks: 100_000, kills: 5 },
    subjects: toPython,
    small: { tasks: 5000 },
  },
  {
    // Memory of the driver per task that waits for a CPU. A process may have 1,000,000 unfinished calls, those that ask the node
    // agent for something included.
    name: 'queued-tasks',
    unit: 'bytes',
    does: 'queued-tasks',
    parameters: { tasks: 999_000 },
    subjects: toPython,
    isFresh: true,
    rounds: 3,
    small: { tasks: 50_000 },
  },
  {
    name: 'stream-items',
    unit: 'items/s',
    does: 'stream-items',
    parameters: { items: 10_000 },
    subjects: ['ts>py', 'py>py', 'ts>ts', 'py>ts'],
    small: { items: 200 },
  },
  {
    // 10 GB through a store of 64 MiB.
    name: 'stream-1mb',
    unit: 'GB/s',
    does: 'stream-arrays',
    parameters: { items: 10_000, bytes: mebibyte },
    subjects: ['ts>py', 'py>ts'],
    storeBytes: 64 * mebibyte,
    rounds: 3,
    small: { items: 200 },
  },
])
