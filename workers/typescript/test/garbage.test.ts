import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { get, put } from '../src/index.ts'
import { square, Values } from './fixtures/shapes.ts'
import { withSession } from './session.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('what is forgotten', () => {
  const session = withSession()
  const stats = () => {
    collect()
    return session.cluster.stats
  }

  it('leaves the store', async () => {
    await square(1)
    const before = stats().objectsLive
    const forget = () => {
      for (let index = 0; index < 50; index++) put(new Uint8Array(50_000))
    }
    forget()
    expect(session.cluster.stats.objectsLive).toBe(before + 50)
    await expect.poll(() => stats().objectsLive, { timeout: 20_000, interval: 20 }).toBe(before)
  })

  it('includes mapped results, as soon as their arrays are gone', async () => {
    await using values = await Values.create()
    await values.list()
    const before = stats().refsLive
    const sumUp = async () => {
      let sum = 0
      for (let index = 0; index < 20; index++) sum += (await values.zeros(100_000)).length
      return sum
    }
    expect(await sumUp()).toBe(2_000_000)
    await expect
      .poll(() => stats().refsLive, { timeout: 20_000, interval: 20 })
      .toBeLessThanOrEqual(before)
  })

  it('includes refs inside of values', async () => {
    await using values = await Values.create()
    const before = stats().refsLive
    const nest = async () => {
      const refs = Array.from({ length: 300 }, (_, index) => put({ index }))
      const back = (await values.echo({ refs })) as { refs: typeof refs }
      return (await get([back.refs[7]!]))[0].index
    }
    expect(await nest()).toBe(7)
    await expect
      .poll(() => stats().refsLive, { timeout: 20_000, interval: 20 })
      .toBeLessThanOrEqual(before)
  })
})
