import type { Case } from '../catalog/index.ts'

/** The command, bound to CPU 0 with all it starts if the case wants that. */
export function onCpu(each: Pick<Case, 'isOnOneCpu'>, command: readonly string[]): string[] {
  return each.isOnOneCpu ? ['taskset', '--cpu-list', '0', ...command] : [...command]
}
