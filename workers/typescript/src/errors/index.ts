export * from './error-value.ts'
export * from './generated.ts'
export { RemoteException } from './remote-exception.ts'
export * from './thornback-error.ts'
