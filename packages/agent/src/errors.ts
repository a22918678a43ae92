import { makeError, type ThornbackError } from '../../../workers/typescript/src/errors/index.ts'

export {
  makeError,
  RemoteError,
  ThornbackError,
} from '../../../workers/typescript/src/errors/index.ts'

/** An argument or option is wrong; `option` is its full path. */
export function invalidArgument(option: string, reason: string): ThornbackError {
  return makeError('INVALID_ARGUMENT', { option, reason })
}
