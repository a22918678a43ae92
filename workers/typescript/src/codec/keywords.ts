/**
 * Keyword arguments of a call, as its last argument: `score(x, kw({ warm: true }))`. A Python function gets them as keywords,
 * a TypeScript function as one object.
 */
export class Keywords<T extends object = Record<string, unknown>> {
  readonly values: T

  constructor(values: T) {
    this.values = values
  }
}

export function kw<T extends object>(values: T): Keywords<T> {
  return new Keywords(values)
}
