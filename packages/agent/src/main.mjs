// Starts the node agent. Plain JavaScript, because the compile cache has to be on before the first TypeScript file is loaded: a cached file needs
// no type stripping, which costs 35 ms per process.
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'

process.env.NODE_COMPILE_CACHE ??= `${process.env.XDG_CACHE_HOME ?? `${homedir()}/.cache`}/thornback/node`
enableCompileCache(process.env.NODE_COMPILE_CACHE)
const { main } = await import('./main.ts')
main()
