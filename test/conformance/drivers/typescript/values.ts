// Tagged values (test/conformance/golden/README.md) as values of TypeScript and back. {"ref": n} stands for thing number n.

import { describeValue } from '../../../../workers/typescript/src/codec/testing/describe-value.ts'
import { GoldenRef } from '../../../../workers/typescript/src/codec/testing/golden.ts'
import { build, type Tagged } from '../../../../workers/typescript/src/codec/testing/tagged.ts'

/** Replaces members of lists, tuples, maps and plain objects, however deep. */
function replace(value: unknown, change: (value: unknown) => unknown): unknown {
  const changed = change(value)
  if (changed !== value) return changed
  if (Array.isArray(value)) {
    const items = value.map((item) => replace(item, change))
    return value.constructor === Array ? items : Object.assign(value, items)
  }
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [key, replace(item, change)]))
  }
  if (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, replace(item, change)]),
    )
  }
  return value
}

export function toValue(tagged: Tagged, things: readonly object[]): unknown {
  return replace(build(tagged), (value) =>
    value instanceof GoldenRef ? things[value.index] : value,
  )
}

/** `number` gives refs and actor handles their numbers, and nothing to other values. */
export function toTagged(value: unknown, number: (value: unknown) => number | undefined): Tagged {
  const change = (each: unknown): unknown => {
    const index = number(each)
    return index === undefined ? each : new GoldenRef(index)
  }
  return describeValue(replace(value, change))
}
