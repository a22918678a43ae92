import { type Case, makeCases } from './case.ts'

const pairs = ['ts>py', 'py>py', 'ts>ts', 'py>ts']

export const tasks: Case[] = makeCases('tasks', [
  {
    name: 'task-sync',
    unit: 'calls/s',
    does: 'task-one-at-a-time',
    subjects: pairs,
    hasRay: true,
  },
  {
    name: 'task-async',
    unit: 'calls/s',
    does: 'tasks-in-flight',
    parameters: { window: 1000 },
    subjects: pairs,
    hasRay: true,
    small: { window: 20 },
  },
  {
    // Ray's own case: 1,000 tasks, then 1,000 times wait for one of those that are left.
    name: 'wait-1k',
    unit: 'rounds/s',
    does: 'wait',
    parameters: { refs: 1000, isOneByOne: true },
    subjects: ['ts>py', 'py>py'],
    hasRay: true,
    small: { refs: 20 },
  },
  {
    // 1,000 tasks, then one wait for all of them.
    name: 'wait-1k-at-once',
    unit: 'rounds/s',
    does: 'wait',
    parameters: { refs: 1000, isOneByOne: false },
    subjects: ['ts>py', 'py>py'],
    hasRay: true,
    small: { refs: 20 },
  },
])
