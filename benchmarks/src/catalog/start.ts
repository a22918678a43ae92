import { type Case, makeCases } from './case.ts'

const pairs = ['ts>py', 'py>py', 'ts>ts', 'py>ts']

export const start: Case[] = makeCases('start', [
  {
    // The call of init() in a process that did nothing else: from no session to one that can be used.
    name: 'init',
    unit: 'ms',
    does: 'init',
    subjects: ['ts>py', 'py>py'],
    hasRay: true,
    isFresh: true,
  },
  {
    // From creating an actor to its first result when no worker of its language is there.
    name: 'cold-worker',
    unit: 'ms',
    does: 'cold-worker',
    subjects: pairs,
    hasRay: true,
    isFresh: true,
    prestart: 0,
  },
  {
    // The same when an idle worker waits for work.
    name: 'warm-worker',
    unit: 'ms',
    does: 'warm-worker',
    parameters: { restMs: 1500 },
    subjects: pairs,
    hasRay: true,
    isFresh: true,
    small: { restMs: 500 },
  },
  {
    // Memory that only this worker has (USS), after its actor answered one call.
    name: 'idle-worker-mb',
    unit: 'MB',
    does: 'idle-worker',
    subjects: ['ts>py', 'py>py', 'ts>ts', 'py>ts'],
    hasRay: true,
    isFresh: true,
  },
])
