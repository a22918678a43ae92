import { bytesOf, type Dtype, dtypeOf, type DtypeInfo, dtypes, halfToNumber } from './dtype.ts'
import type { TypedArray } from './dtype.ts'
import { encodeAs, type ValueWriter } from './encode-as.ts'
import { arrayDimensionsMax } from './format.ts'

export interface Complex {
  readonly re: number
  readonly im: number
}

export type NdItem = number | bigint | boolean | Complex
export type Nested<T> = T | Nested<T>[]

export interface NdArrayOptions {
  /** Needed where the TypedArray does not say it: `|b1`, `<c8`, `<c16`, and `<f2` held as Uint16Array. */
  dtype?: Dtype
  /** Items (not bytes) to step per dimension; without it the items lie in C order, the last index changing fastest. */
  strides?: readonly number[]
}

function stridesInOrder(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis] ?? 1
  }
  return strides
}

function resolveDtype(data: TypedArray, wanted: Dtype | undefined): DtypeInfo {
  const found = dtypes.get(wanted ?? dtypeOf(data) ?? '')
  const bits = found?.dtype === '<f2' && data instanceof Uint16Array
  const fits = wanted === undefined || bits || (found && data instanceof found.construct)
  if (found === undefined || !fits) {
    throw new TypeError(`dtype ${wanted} does not fit a ${data.constructor.name}`)
  }
  return found
}

/**
 * An n-dimensional array: numpy's `ndarray`. Received ones show the sender's memory without a copy where they can; writing to
 * them changes nothing for anybody else.
 *
 * Vectors of the types that JavaScript has a TypedArray for arrive as that TypedArray, not as an NdArray (Python's `uint8`
 * excepted: Uint8Array is `bytes`).
 */
export class NdArray<T extends TypedArray = TypedArray> {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** The items; for complex numbers the real and imaginary parts in turn. */
  readonly data: T
  readonly strides: readonly number[]
  readonly #info: DtypeInfo
  readonly #inOrder: boolean

  /** Takes `data` over without a copy. Throws a RangeError if the shape does not fit it. */
  constructor(data: T, shape: readonly number[], options?: NdArrayOptions) {
    this.#info = resolveDtype(data, options?.dtype)
    this.dtype = this.#info.dtype
    this.data = data
    this.shape = Object.freeze([...shape])
    const inOrder = stridesInOrder(shape)
    this.strides = Object.freeze([...(options?.strides ?? inOrder)])
    this.#inOrder = this.strides.every((step, axis) => step === inOrder[axis])
    this.#check()
  }

  /** A vector, or with a shape any array, over the items of a TypedArray. */
  static fromTyped<T extends TypedArray>(
    data: T,
    shape: readonly number[] = [data.length],
    options?: NdArrayOptions,
  ): NdArray<T> {
    return new NdArray(data, shape, options)
  }

  /** Number of items. */
  get size(): number {
    return this.shape.reduce((product, length) => product * length, 1)
  }

  /** The item at these indices, one per dimension; negative ones count from the end. */
  at(...indices: number[]): NdItem {
    if (indices.length !== this.shape.length) {
      throw new RangeError(`${this.shape.length} indices are needed, ${indices.length} were given`)
    }
    let offset = 0
    for (const [axis, given] of indices.entries()) {
      const length = this.shape[axis] ?? 0
      const index = given < 0 ? given + length : given
      if (!Number.isInteger(index) || index < 0 || index >= length) {
        throw new RangeError(`index ${given} is out of range for axis ${axis} of size ${length}`)
      }
      offset += index * (this.strides[axis] ?? 0)
    }
    return this.#item(offset)
  }

  /** The same as nested arrays, a bare item for a 0-dimensional array. */
  toNested(): Nested<NdItem> {
    const build = (axis: number, offset: number): Nested<NdItem> => {
      if (axis === this.shape.length) return this.#item(offset)
      const step = this.strides[axis] ?? 0
      return Array.from({ length: this.shape[axis] ?? 0 }, (_, index) =>
        build(axis + 1, offset + index * step),
      )
    }
    return build(0, 0)
  }

  /** This array if its items lie in C order, otherwise a copy in which they do. */
  toContiguous(): NdArray<T> {
    if (this.#inOrder) return this
    const { construct, elementsPerItem, dtype } = this.#info
    const copy = new (this.data instanceof Uint16Array ? Uint16Array : construct)(
      this.size * elementsPerItem,
    )
    let next = 0
    const gather = (axis: number, offset: number): void => {
      if (axis === this.shape.length) {
        for (let part = 0; part < elementsPerItem; part++) {
          copy[next++] = this.data[offset * elementsPerItem + part] as never
        }
        return
      }
      const length = this.shape[axis] ?? 0
      const step = this.strides[axis] ?? 0
      for (let index = 0; index < length; index++) gather(axis + 1, offset + index * step)
    }
    gather(0, 0)
    return new NdArray(copy as T, this.shape, { dtype })
  }

  [encodeAs](writer: ValueWriter): void {
    const { data } = this.toContiguous()
    writer.array(this.dtype, this.shape, bytesOf(data))
  }

  #item(offset: number): NdItem {
    const { dtype, elementsPerItem } = this.#info
    const value = this.data[offset * elementsPerItem] as number | bigint
    if (elementsPerItem === 2) {
      return { re: value as number, im: this.data[offset * 2 + 1] as number }
    }
    if (dtype === '|b1') return value !== 0
    if (dtype === '<f2' && this.data instanceof Uint16Array) return halfToNumber(value as number)
    return value
  }

  #check(): void {
    const { shape, strides, size } = this
    const sane = (length: number) => Number.isSafeInteger(length) && length >= 0
    if (shape.length > arrayDimensionsMax || !shape.every(sane)) {
      throw new RangeError(`[${shape.join(', ')}] is not a shape`)
    }
    if (strides.length !== shape.length || !strides.every(Number.isSafeInteger)) {
      throw new RangeError(`[${strides.join(', ')}] are not the strides of this shape`)
    }
    const items = this.data.length / this.#info.elementsPerItem
    let [first, last] = [0, 0]
    for (const [axis, length] of shape.entries()) {
      const reach = (length - 1) * (strides[axis] ?? 0)
      if (reach < 0) first += reach
      else last += reach
    }
    const fits = this.#inOrder ? size === items : size === 0 || (first >= 0 && last < items)
    if (!fits) {
      throw new RangeError(`the shape [${shape.join(', ')}] does not fit ${items} items`)
    }
  }
}
