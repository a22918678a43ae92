import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { LineSplitter } from './line-splitter.ts'
import { LogFile } from './log-file.ts'
import { formatLines, LogRelay } from './log-relay.ts'
import { listenForLogs } from './log-server.ts'
import { TemporaryFolder } from './testing/temporary-folder.ts'
import type { TextWriter } from './text-writer.ts'

class FakeWriter implements TextWriter {
  pendingBytes = 0
  text = ''
  write(text: string): void {
    this.text += text
  }
  drain(): Promise<void> {
    return Promise.resolve()
  }
}

function relayTo(driver: FakeWriter | null, folder: string): LogRelay {
  return new LogRelay({ folder, driver, colour: false })
}

describe('LineSplitter', () => {
  test('puts lines together from pieces cut anywhere', () => {
    const text = Buffer.from('grün\nzwei\r\n\ndrei')
    for (let cut = 0; cut <= text.length; cut++) {
      const splitter = new LineSplitter()
      const lines = [
        ...splitter.push(text.subarray(0, cut)),
        ...splitter.push(text.subarray(cut)),
        ...splitter.finish(),
      ]
      expect(lines).toEqual(['grün', 'zwei', '', 'drei'])
    }
  })

  test('cuts a line that has no end', () => {
    const splitter = new LineSplitter(4)
    expect(splitter.push(Buffer.from('abcdefghij'))).toEqual(['abcd', 'efgh'])
    expect(splitter.finish()).toEqual(['ij'])
    expect(splitter.finish()).toEqual([])
  })
})

describe('LogRelay', () => {
  test('writes notes about a worker into its file only', async () => {
    using folder = new TemporaryFolder()
    const driver = new FakeWriter()
    const relay = relayTo(driver, folder.path)
    relay.add('py-1', 'python worker')
    relay.note('py-1', '(it was ended)')
    relay.note('unknown', 'nothing')
    const file = () => readFileSync(join(folder.path, 'py-1.log'), { encoding: 'utf8', flag: 'a+' })
    await expect.poll(file).toBe('(it was ended)\n')
    expect(driver.text).toBe('')
  })

  test('marks lines with the worker, and keeps them in its file', async () => {
    using folder = new TemporaryFolder()
    const driver = new FakeWriter()
    const relay = relayTo(driver, folder.path)
    relay.add('py-1', 'python worker')
    const stdout = new PassThrough()
    relay.connect('py-1', 'stdout', stdout)
    relay.release('py-1', 123)
    stdout.write('one\ntw')
    stdout.write('o\nthree')
    await expect.poll(() => driver.text).toContain('two')
    relay.rename('py-1', 'Scorer')
    stdout.end()
    const stderr = new PassThrough()
    relay.connect('py-1', 'stderr', stderr)
    stderr.end()
    await relay.closed('py-1', 5_000)
    expect(driver.text).toBe(
      '(python worker pid=123) one\n(python worker pid=123) two\n(Scorer pid=123) three\n',
    )
    const file = () => readFileSync(join(folder.path, 'py-1.log'), 'utf8')
    await expect.poll(file).toBe('one\ntwo\nthree\n')
    expect(relay.tail('py-1')).toEqual(['one', 'two', 'three'])
  })

  test('keeps a traceback together that is written line by line beside another', async () => {
    using folder = new TemporaryFolder()
    const driver = new FakeWriter()
    const relay = relayTo(driver, folder.path)
    const streams = ['a', 'b'].map((token) => {
      const stream = new PassThrough()
      relay.add(token, token)
      relay.connect(token, 'stderr', stream)
      relay.release(token, 1)
      return stream
    })
    for (let line = 0; line < 5; line++) {
      for (const stream of streams) stream.write(`line ${line}\n`)
      await sleep(1)
    }
    await expect.poll(() => driver.text.split('\n').length).toBe(11)
    const order = driver.text
      .trimEnd()
      .split('\n')
      .map((line) => line[1])
    expect(order.join('')).toMatch(/^(a{5}b{5}|b{5}a{5})$/)
  })

  test('shows nothing of a worker that never worked', async () => {
    using folder = new TemporaryFolder()
    const driver = new FakeWriter()
    const relay = relayTo(driver, folder.path)
    relay.add('a', 'python worker')
    const stream = new PassThrough()
    relay.connect('a', 'stderr', stream)
    stream.end('No module named thornback\n')
    await expect.poll(() => relay.tail('a')).toEqual(['No module named thornback'])
    relay.remove('a')
    await sleep(20)
    expect(driver.text).toBe('')
  })

  test('makes workers wait while nobody reads', async () => {
    using folder = new TemporaryFolder()
    const driver = new FakeWriter()
    const relay = relayTo(driver, folder.path)
    relay.add('a', 'a')
    const stream = new PassThrough()
    relay.connect('a', 'stdout', stream)
    relay.release('a', 1)
    driver.pendingBytes = 2 << 20
    stream.write('one\n')
    await expect.poll(() => stream.isPaused()).toBe(true)
    driver.pendingBytes = 0
    await expect.poll(() => stream.isPaused()).toBe(false)
    stream.end('two\n')
    await expect.poll(() => driver.text).toContain('two')
  })

  test('formats for terminals and files', () => {
    expect(formatLines('A', 1, ['x'], true)).toBe('\x1b[36m(A pid=1)\x1b[0m x\n')
    expect(formatLines('A', 1, [' 10%\r 20%'], false)).toBe('(A pid=1)  20%\n')
  })
})

test('a log file is renamed when it is full', async () => {
  using folder = new TemporaryFolder()
  const file = new LogFile(join(folder.path, 'a.log'), 10)
  for (const text of ['12345\n', '6789\n', 'abc\n']) void file.write(text)
  await file.write('')
  expect(readFileSync(file.path, 'utf8')).toBe('6789\nabc\n')
  expect(readFileSync(`${file.path}.1`, 'utf8')).toBe('12345\n')
  expect(file.pendingBytes).toBe(0)
})

describe('the log socket', () => {
  test('takes output behind a header, and refuses strangers', async () => {
    using folder = new TemporaryFolder()
    const relay = relayTo(null, folder.path)
    relay.add('a', 'a')
    const path = join(folder.path, 'logs.sock')
    const server = await listenForLogs(path, relay)
    const closed = ['not a header\n', '{"token":"b","stream":"stdout"}\n', 'x'.repeat(1000)].map(
      (text) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        const stranger = connect(path)
        stranger.on('error', () => {})
        stranger.once('close', () => resolve())
        stranger.write(text)
        return promise
      },
    )
    await Promise.all(closed)
    const worker = connect(path)
    worker.write('{"token":"a","stre')
    await sleep(5)
    worker.end('am":"stdout"}\none\ntwo\n')
    await expect.poll(() => relay.tail('a')).toEqual(['one', 'two'])
    await new Promise((resolve) => server.close(resolve))
  })
})
