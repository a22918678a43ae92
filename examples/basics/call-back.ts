// An actor in TypeScript whose handle goes to Python, which calls it back.
import { type ActorHandle, defineActor, getActor, init, python } from 'thornback'

class ListenerActor {
  #lines: string[] = []
  progress(step: number, { of }: { of: number }): void {
    this.#lines.push(`${step}/${of}`)
  }
  seen(): number {
    return this.#lines.length
  }
  lines(): string[] {
    return this.#lines
  }
}

// Workers import this module to find the class; so what only the program does is guarded.
export const Listener = defineActor(import.meta, 'Listener', ListenerActor)

if (import.meta.main) {
  await using _cluster = await init()
  await using listener = await Listener.options({ name: 'listener' }).create()
  const work =
    python.task<(steps: number, listener: ActorHandle<ListenerActor>) => string>('report:work')

  console.log(await work(3, listener)) // told 3 times
  console.log(await listener.lines()) // [ '1/3', '2/3', '3/3' ]

  // Whoever knows the name finds the actor, from any process of the session and in any language.
  const found = await getActor<ListenerActor>('listener')
  console.log(await found.seen()) // 3
}
