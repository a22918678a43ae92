// Cost of encoding and decoding small values, as the arguments of calls have them: `node src/codec/codec.bench.ts`. Prints the
// median of rounds that take turns between the cases; compare with JSON in the same table, not with figures of another day.

import { decode, decodeArguments } from './decoder.ts'
import { Encoder } from './encoder.ts'

const cases: Record<string, unknown[]> = {
  '[1]': [1],
  '["abc", 3.5]': ['abc', 3.5],
  '[{id, name, tags}]': [{ id: 12345, name: 'thornback ray', tags: ['fish', 'flat', 'sea'] }],
  '[Uint8Array(64)]': [new Uint8Array(64).fill(7)],
  '[Float32Array(16)]': [new Float32Array(16).fill(1.5)],
  '[10 numbers]': [[1, 2, 3, 400, 5.5, 6, 70000, 8, 9, -1]],
  '[text of 40]': ['the quick brown fox jumps over the dog..'],
}

const rounds = 15
const callsPerRound = 100_000

interface Subject {
  readonly label: string
  readonly run: (calls: number) => void
  readonly nanoseconds: number[]
}

function subjects(): Subject[] {
  const encoder = new Encoder(new Uint8Array(1 << 16))
  const target = encoder.bytes
  const result: Subject[] = []
  const add = (label: string, call: () => unknown): void => {
    const run = (calls: number): void => {
      for (let index = 0; index < calls; index++) call()
    }
    result.push({ label, run, nanoseconds: [] })
  }
  for (const [label, args] of Object.entries(cases)) {
    const size = encoder.encodeArguments(args, target, 0)
    const bytes = new Uint8Array(1024)
    bytes.set(target.subarray(0, size), 64)
    const json = JSON.stringify(args)
    add(`encode ${label}`, () => encoder.encodeArguments(args, target, 0))
    add(`decode ${label}`, () => decodeArguments(bytes, 64, 64 + size))
    add(`JSON.stringify ${label}`, () => JSON.stringify(args))
    add(`JSON.parse ${label}`, () => JSON.parse(json))
  }
  const size = encoder.encode(42, target, 0)
  const bytes = target.slice(0, size)
  add('encode result 42', () => encoder.encode(42, target, 0))
  add('decode result 42', () => decode(bytes, 0, size))
  return result
}

function main(): void {
  const all = subjects()
  for (let round = 0; round < rounds; round++) {
    for (const { run, nanoseconds } of all) {
      const start = process.hrtime.bigint()
      run(callsPerRound)
      nanoseconds.push(Number(process.hrtime.bigint() - start) / callsPerRound)
    }
  }
  for (const { label, nanoseconds } of all) {
    const sorted = nanoseconds.slice(3).sort((a, b) => a - b)
    const median = sorted[sorted.length >> 1] ?? 0
    const spread = `${sorted[0]?.toFixed(0)} to ${sorted.at(-1)?.toFixed(0)}`
    process.stdout.write(`${label.padEnd(36)} ${median.toFixed(0).padStart(6)} ns  (${spread})\n`)
  }
}

main()
