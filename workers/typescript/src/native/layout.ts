// The memory shared with the addon: the same numbers as in core-native/addon/layout.h. They are constants here, not read
// from the addon, so that the optimising compiler folds them; `checkLayout` compares.

export const layoutVersion = 2

export const recordsMax = 256
export const listMax = 1024
export const eventsMax = 1024
export const outboxBytes = 1024 * 1024
export const inboxBytes = 1024 * 1024
export const spareBytes = 128 * 1024
export const copyMax = 64 * 1024

/** Indices of 32-bit words at the start of the outbox. */
export const control = {
  recordCount: 0,
  bytesUsed: 1,
  releaseCount: 2,
  retainCount: 3,
  watchCount: 4,
  keepAlive: 5,
  referenced: 6,
  busy: 7,
} as const

/** A record: 20 words or 10 floats. Names ending in `F` index floats, the others 32-bit words. */
export const recordBytes = 80
export const recordWords = 20
export const recordFloats = 10

const recordsStart = 64
const releasesStart = recordsStart + recordsMax * recordBytes
/** Byte offsets of the parts of the outbox. */
export const outbox = {
  records: recordsStart,
  releases: releasesStart,
  retains: releasesStart + listMax * 8,
  watches: releasesStart + listMax * 16,
  reservedRefs: releasesStart + listMax * 24,
  bytes: releasesStart + listMax * 32,
} as const

export const record = {
  kind: 0,
  flags: 1,
  idF: 1,
  target: 4,
  function: 5,
  timeoutNsF: 3,
  dataOffset: 8,
  payloadFlags: 9,
  dataSizeF: 5,
  bufferTokenF: 6,
  refsOffset: 14,
  refCount: 15,
  parentF: 8,
  options: 18,
} as const

export const recordKind = { call: 1, reply: 2 } as const

/** An event: 24 words or 12 floats. */
export const eventWords = 24
export const eventFloats = 12
export const event = {
  kind: 0,
  flags: 1,
  refF: 1,
  callF: 2,
  function: 6,
  instance: 7,
  caller: 8,
  valueFlags: 9,
  deadlineNsF: 5,
  positionF: 6,
  sizeF: 7,
  holdF: 8,
  refCount: 18,
  place: 19,
  refsPositionF: 10,
  refsPlace: 22,
  group: 23,
} as const

export const inbox = { bytes: (eventsMax + 1) * eventWords * 4 } as const

export const eventKind = {
  ready: 1,
  call: 2,
  cancel: 3,
  credit: 4,
  peerJoined: 5,
  peerLeft: 6,
  shutdown: 7,
  room: 8,
  refused: 100,
} as const

export const place = { none: 0, inbox: 1, pointer: 2, stored: 3 } as const

/** Flags of thornback.h. */
export const refResolve = 1
export const valueError = 1
export const valueStored = 2
export const callWatch = 1
export const callStream = 2
export const replyItem = 1
export const eventStreamCall = 1
export const cancelRecursive = 1
export const cancelForce = 2
export const optionUnordered = 1
export const optionRetryErrors = 2

/** Throws if the addon was built from another version of the layout. */
export function checkLayout(found: Readonly<Record<string, number>>): void {
  const expected: Record<string, number> = {
    version: layoutVersion,
    recordsMax,
    listMax,
    eventsMax,
    outboxBytes,
    inboxBytes,
    spareBytes,
    copyMax,
    records: outbox.records,
    releases: outbox.releases,
    retains: outbox.retains,
    watches: outbox.watches,
    reservedRefs: outbox.reservedRefs,
    outgoing: outbox.bytes,
    incoming: inbox.bytes,
  }
  for (const [name, value] of Object.entries(expected)) {
    if (found[name] !== value) {
      throw new Error(
        `thornback.node was built from other sources: ${name} is ${found[name]}, not ${value}; run: npm run build`,
      )
    }
  }
}
