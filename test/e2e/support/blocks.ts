// The programs inside a document.

export interface Block {
  readonly language: string
  readonly text: string
  /** Where it begins in the document. */
  readonly line: number
}

/** The fenced blocks of a Markdown text. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const match of markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    const line = markdown.slice(0, match.index).split('\n').length
    blocks.push({ language: match[1]!, text: match[2]!, line })
  }
  return blocks
}

/**
 * The files that the blocks make. A block that begins with a comment with a file name is that file; all others of one
 * language are one program, in their order.
 */
export function filesOf(blocks: readonly Block[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const { language, text, line } of blocks) {
    if (language !== 'ts' && language !== 'python') continue
    const ending = language === 'ts' ? 'ts' : 'py'
    const name = /^(?:\/\/|#) (\S+\.(?:ts|py))\n/.exec(text)?.[1]
    if (name !== undefined && (files.has(name) || !name.endsWith(`.${ending}`))) {
      throw new Error(`line ${line}: a second ${name}, or one of another language`)
    }
    const file = name ?? `guide.${ending}`
    files.set(file, `${files.get(file) ?? ''}${text}\n`)
  }
  return files
}
