import { expect, test } from 'vitest'
import { decode } from './decoder.ts'
import { type ActorHandleFields, encodeAs, type ValueWriter } from './encode-as.ts'
import { Encoder } from './encoder.ts'

const plain: ActorHandleFields = {
  id: new Uint8Array(16).fill(7),
  language: 'python',
  classKey: 'scoring:Scorer',
  methods: ['score'],
}

class Handle {
  readonly fields: ActorHandleFields

  constructor(fields: ActorHandleFields) {
    this.fields = fields
  }

  [encodeAs](writer: ValueWriter): void {
    writer.actor(this.fields)
  }
}

function encoded(fields: ActorHandleFields): Uint8Array {
  const encoder = new Encoder()
  const end = encoder.encode(new Handle(fields))
  return encoder.bytes.slice(encoder.start, end)
}

test('a handle says that its actor may be restarted', () => {
  const restartable = { ...plain, isRestartable: true }
  for (const fields of [restartable, { ...restartable, methods: null }]) {
    expect(decode(encoded(fields))).toEqual(fields)
  }
})

test('a handle of any other actor has four members, as ever', () => {
  expect(encoded({ ...plain, isRestartable: false })).toEqual(encoded(plain))
  expect(decode(encoded(plain))).toEqual(plain)
  expect(encoded({ ...plain, isRestartable: true })).toHaveLength(encoded(plain).length + 1)
})

test('flags that mean nothing yet are ignored, what is no flags is refused', () => {
  const bytes = encoded({ ...plain, isRestartable: true })
  bytes[bytes.length - 1] = 6
  expect(decode(bytes)).toEqual(plain)
  bytes[bytes.length - 1] = 0xc0
  expect(() => decode(bytes)).toThrow(/actor handle/)
})
