const generatorFunctions: ReadonlySet<unknown> = new Set([
  Object.getPrototypeOf(function* () {}),
  Object.getPrototypeOf(async function* () {}),
])

/** Whether a function is declared with `*`. */
export function isGeneratorFunction(value: unknown): boolean {
  return typeof value === 'function' && generatorFunctions.has(Object.getPrototypeOf(value))
}

/** Whether a value is what a generator function returns: its code has not begun to run. */
export function isGenerator(value: unknown): value is Generator | AsyncGenerator {
  const tag = Object.prototype.toString.call(value)
  return tag === '[object Generator]' || tag === '[object AsyncGenerator]'
}

/** The iterator of whatever can be iterated, synchronously or not; undefined for everything else and for strings. */
export function iteratorOf(value: unknown): Iterator<unknown> | AsyncIterator<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const iterable = value as Partial<AsyncIterable<unknown> & Iterable<unknown>>
  return iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.()
}
