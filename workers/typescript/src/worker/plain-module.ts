// Loaded by warm-up.ts like a module of the user's: from its source, also where the worker itself is a bundle.

export class Plain {
  readonly isPlain: boolean = true
}
