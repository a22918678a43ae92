// One large array, stored once and read by every task without a copy.
import { init, NdArray, put, python } from 'thornback'

await using cluster = await init()

const columnMeans =
  python.task<(matrix: NdArray, first: number, last: number) => Float64Array>(
    'matrices:column_means',
  )
const identity = python.task<(size: number) => NdArray>('matrices:identity')

// 1,000 rows of 1,000 numbers, 8 MB. `put` copies them into shared memory, for the only time.
const numbers = Float64Array.from({ length: 1_000_000 }, (_, index) => index % 1000)
const matrix = put(new NdArray(numbers, [1000, 1000]))

// The ref is passed, not the numbers: what each task gets is a numpy array over the same memory.
const tasks = Array.from({ length: 10 }, (_, i) => columnMeans(matrix, 100 * i, 100 * (i + 1)))
const means = await Promise.all(tasks)
console.log(means.map((part) => part[0]).join(' ')) // 0 100 200 300 400 500 600 700 800 900
console.log(`${(cluster.stats.bytesShared / 1e6).toFixed(0)} MB were handed over`) // 80 MB were handed over

// It is the same in the other direction: the result is a view of the memory that Python wrote.
const result = await identity(500)
console.log(result.shape, result.dtype, result.at(3, 3), result.at(3, 4)) // [ 500, 500 ] <f8 1 0
