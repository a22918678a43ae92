// What arrives when a call fails: an Error with a code, the remote cause and the remote stack.
import { init, python, RemoteError, ThornbackError } from 'thornback'

await using _cluster = await init()

async function failureOf(call: PromiseLike<unknown>): Promise<ThornbackError> {
  try {
    await call
  } catch (error) {
    if (error instanceof ThornbackError) return error
  }
  throw new Error('the call should have failed')
}

// An exception of the function: a RemoteError, with the chain of causes and the Python traceback.
const parse = python.task<(text: string) => number>('failing:parse')
const error = await failureOf(parse('seven'))
const cause = error.cause as Error
console.log(error instanceof RemoteError, error.code) // true REMOTE_ERROR
console.log(cause.name, cause.message) // LookupError seven is not in the table
console.log((cause.cause as Error).name) // ValueError
console.log(cause.stack?.includes('in parse')) // true

// A worker that dies takes its task with it, nothing else: the next task gets another worker.
console.log((await failureOf(python.task('failing:crash')())).code) // WORKER_DIED
console.log(await parse('7')) // 7

// A limit of time, and giving up.
const sleep = python.task<(seconds: number) => void>('failing:sleep')
console.log((await failureOf(sleep.with({ timeoutMs: 50 })(0.5))).code) // DEADLINE_EXCEEDED
const signal = AbortSignal.timeout(50)
console.log((await failureOf(sleep.with({ signal })(0.5))).code) // CANCELLED

// Mistakes are found where the call is made, and say where in the arguments.
try {
  void parse({ texts: ['a', () => 'b'] } as never)
} catch (mistake) {
  console.log((mistake as Error).message.split(':')[0]) // args[0].texts[1] cannot be sent
}
const wrong = await failureOf(python.task('failing:prase')('7'))
console.log(wrong.code) // NOT_FOUND
console.log(wrong.message) // module 'failing' has no function 'prase'; did you mean parse or crash?
