// Plain TypeScript: nothing in here knows of Thornback.

export function slug(title: string, options: { separator?: string; upper?: boolean } = {}): string {
  const { separator = '-', upper = false } = options
  const text = title.trim().split(/\W+/).join(separator)
  return upper ? text.toUpperCase() : text.toLowerCase()
}

export class Index {
  readonly #pages = new Map<string, Set<string>>()

  add(page: string, text: string): number {
    for (const word of text.toLowerCase().split(/\W+/)) {
      const pages = this.#pages.get(word) ?? new Set()
      this.#pages.set(word, pages.add(page))
    }
    return this.#pages.size
  }

  search(word: string): Set<string> {
    return this.#pages.get(word.toLowerCase()) ?? new Set()
  }

  async *words(): AsyncGenerator<string> {
    for (const word of [...this.#pages.keys()].sort()) yield await Promise.resolve(word)
  }
}
