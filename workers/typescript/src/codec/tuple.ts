import { encodeAs, type ValueWriter } from './encode-as.ts'

/**
 * An array that is a tuple in other languages. Python's tuples arrive as one, so that they go back as tuples. It behaves as
 * an array everywhere (`Array.isArray`, destructuring, `map` gives a plain array).
 *
 * Use a plain array for a list; a Tuple where Python insists: keys of a dict, members of a set, arguments checked by
 * `isinstance`.
 */
export class Tuple<T = unknown> extends Array<T> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  [encodeAs](writer: ValueWriter): void {
    writer.tuple(this)
  }
}

export function tuple<const T extends readonly unknown[]>(...items: T): Tuple<T[number]> & T {
  const result = new Tuple<T[number]>(items.length)
  for (let index = 0; index < items.length; index++) result[index] = items[index]
  return result as Tuple<T[number]> & T
}
