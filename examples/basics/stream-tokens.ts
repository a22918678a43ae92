// Generators of Python as streams: items come one by one, and a slow reader slows the generator down.
import { init, python } from 'thornback'

interface ModelApi {
  generate(prompt: string): AsyncIterable<string>
  countdown(start: number): AsyncIterable<number>
  forever(): AsyncIterable<number>
  produced(): number
}

await using _cluster = await init()
await using model = await python.actor<ModelApi>('tokens:Model').create()

const words: string[] = []
for await (const token of model.generate('one word after another')) words.push(token)
console.log(words.join(' ')) // ONE WORD AFTER ANOTHER

// An async generator is read in the same way.
let left = 0
for await (const number of model.countdown(3)) left = number
console.log(left) // 1

// The generator stays a bounded number of items ahead of its reader. Leaving the loop ends it.
for await (const number of model.forever()) {
  if (number === 1000) break
}
console.log((await model.produced()) < 2000) // true
