// What a worker that was started ahead of need does before its first call.

import { loadClass } from './modules.ts'

/**
 * Does once what the first call would do for the first time: loads the package as the user's modules see it, and a module of
 * TypeScript as if it were the user's.
 */
export async function warmUp(): Promise<void> {
  await import('../index.ts')
  const url = new URL('./plain-module.ts', import.meta.url).href
  await import(url)
  // It is loaded, so this ends before the event loop goes on, and no call finds another import under way.
  await loadClass(`${url}:Plain`)
}
