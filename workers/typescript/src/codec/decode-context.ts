import type { ActorHandleFields } from './encode-as.ts'

/** What a decoder needs to know about the place a blob came from. */
export interface DecodeContext {
  /** Length of the ref table. */
  readonly refCount: number
  /** The object, or the value, that entry `index` of the ref table stands for. */
  ref(index: number): unknown
  actor(handle: ActorHandleFields): unknown
  /**
   * Whether the blob lies in memory that outlives the call, so that large arrays may be views of it. Otherwise they are
   * copied.
   */
  readonly zeroCopy: boolean
  /** Told of every such view: the memory has to stay mapped for as long as the view lives. */
  keepAlive?(view: ArrayBufferView): void
}

/** For values without refs and actor handles: their presence is malformed data. */
export const plainContext: DecodeContext = {
  refCount: 0,
  ref: () => undefined,
  actor: (handle) => handle,
  zeroCopy: false,
}
