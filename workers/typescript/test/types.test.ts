// What the compiler says of the API. The checks run when the project is type-checked; running the file checks the rest.

import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  type ActorHandle,
  type AnyApi,
  defineActor,
  defineTask,
  get,
  kw,
  type ObjectRef,
  type ObjectStream,
  type Pending,
  pending,
  put,
  python,
  room,
  wait,
} from '../src/index.ts'

interface ScorerApi {
  score(x: Float32Array): Float32Array
  train(x: Float32Array, y: Float32Array, options?: { epochs: number }): Promise<{ loss: number }>
  generate(prompt: string): AsyncIterable<string>
  steps(): Generator<number>
  readonly version: string
}

const Scorer = python.actor<ScorerApi, [threshold: number, options?: { warm: boolean }]>('m:Scorer')
declare const scorer: ActorHandle<ScorerApi>
declare const array: Float32Array

/** Never called: its body is for the compiler. */
const square = defineTask(import.meta, 'square', (n: number) => n * n)

function compiled(): void {
  const created = Scorer.create(0.5, kw({ warm: true }))
  expectTypeOf(created).resolves.toEqualTypeOf<ActorHandle<ScorerApi>>()
  void Scorer.create(put(0.5), { warm: true })
  // @ts-expect-error -- the threshold is a number
  void Scorer.create('half')

  expectTypeOf(scorer.score(array)).toEqualTypeOf<ObjectRef<Float32Array>>()
  expectTypeOf(scorer.train(array, array)).toEqualTypeOf<ObjectRef<{ loss: number }>>()
  expectTypeOf(scorer.generate('hi')).toEqualTypeOf<ObjectStream<string>>()
  expectTypeOf(scorer.steps()).toEqualTypeOf<ObjectStream<number>>()
  expectTypeOf(scorer.score.with({ timeoutMs: 5 })(array)).toEqualTypeOf<ObjectRef<Float32Array>>()
  expectTypeOf(scorer.generate.stream('hi')).toEqualTypeOf<ObjectStream<string>>()
  scorer.score(scorer.score(array))
  scorer.train(array, put(array), kw({ epochs: 3 }))
  // @ts-expect-error -- a ref to something else
  scorer.score(put('text'))
  // @ts-expect-error -- an argument is missing
  scorer.score()
  // @ts-expect-error -- there is no such method
  void scorer.scores
  // @ts-expect-error -- fields are no methods
  void scorer.version

  expectTypeOf(square(2)).toEqualTypeOf<ObjectRef<number>>()
  expectTypeOf(square(square(2))).toEqualTypeOf<ObjectRef<number>>()
  expectTypeOf(square.options({ resources: { cpu: 2 } })(2)).toEqualTypeOf<ObjectRef<number>>()
  // @ts-expect-error -- no such option
  square.with({ timeout: 5 })
  square.options({ retries: 0, priority: 3, maxPendingCalls: 10, whenFull: 'wait' })
  square.with({ retries: 2, retryOn: ['ValueError', RangeError], retryDelayMs: 10 })
  // @ts-expect-error -- tasks have no groups
  square.with({ group: 'health' })
  scorer.score.with({ group: 'health', inOrder: false, retryOn: true })
  // @ts-expect-error -- methods have no priority
  scorer.score.with({ priority: 1 })
  expectTypeOf(room(scorer)).toEqualTypeOf<Promise<void>>()
  expectTypeOf(pending(square)).toEqualTypeOf<Pending>()
}

function compiledActors(): void {
  const Counter = defineActor(
    import.meta,
    'Counter',
    class {
      #n: number
      constructor(n: number) {
        this.#n = n
      }

      add(k: number): number {
        return (this.#n += k)
      }
    },
  )
  Counter.options({ maxRestarts: -1, concurrencyGroups: { few: { limit: 1, methods: ['add'] } } })
  void Counter.create(1).then((counter) => {
    expectTypeOf(counter.add(1)).toEqualTypeOf<ObjectRef<number>>()
  })

  const untyped = null as unknown as ActorHandle<AnyApi>
  for (const ref of [untyped['anything']!(1), python.task('m:f')(1)]) {
    expectTypeOf(ref).toExtend<PromiseLike<unknown>>()
    expectTypeOf(ref).toExtend<AsyncIterable<unknown>>()
  }

  expectTypeOf(get([square(1), scorer.score(array)])).resolves.toEqualTypeOf<
    [number, Float32Array]
  >()
  expectTypeOf(wait([square(1)])).resolves.toEqualTypeOf<{
    ready: ObjectRef<number>[]
    pending: ObjectRef<number>[]
  }>()
}

describe('the types of the API', () => {
  it('are checked by the compiler', () => {
    expect([compiled, compiledActors]).toHaveLength(2)
  })
})
