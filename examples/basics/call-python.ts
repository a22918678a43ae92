// TypeScript calls functions and classes of inventory.py.
import { init, kw, python } from 'thornback'

interface ShelfApi {
  add(name: string, count?: number): number
  listing(): Record<string, number>
}

await using _cluster = await init()

// A function is a task: some worker that is free executes it.
const total = python.task<(prices: number[], discount?: number) => string>('inventory:total')
console.log(await total([10, 20, 12.5])) // 42.50 EUR
console.log(await total([10, 20], 0.5)) // 15.00 EUR
console.log(await total([10, 20], kw({ currency: 'CHF' }))) // 30.00 CHF

// A class is an actor: one object in a worker process, which keeps its state from call to call.
const Shelf = python.actor<ShelfApi, [capacity: number]>('inventory:Shelf')
await using shelf = await Shelf.create(10)
await shelf.add('lamp', 3)
console.log(await shelf.add('chair')) // 4

// Calls return at once with a ref. Ten run at the same time here, and arrive in order because they go to one actor.
const counts = Array.from({ length: 6 }, () => shelf.add('book'))
console.log(await Promise.all(counts)) // [ 5, 6, 7, 8, 9, 10 ]
console.log(await shelf.listing()) // { lamp: 3, chair: 1, book: 6 }
