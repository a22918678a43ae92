export {
  makeError,
  RemoteError,
  ThornbackError,
} from '../../../workers/typescript/src/errors/index.ts'
