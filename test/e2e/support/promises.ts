// What a program says of its own output: `console.log(await square(7)) // 49` and `print(square(7))  # 49`.

const statement = /^\s*(?:for .*\) )?(?:console\.log|print)\(/
const promise = /^.*\)\s+(?:\/\/|#) (.*)$/
const loop = /^\s*(?:async )?for .*[:{)]/

/**
 * The lines that a program promises to print, in the order in which they stand in it. What a loop prints stands behind its
 * one print, with commas between the lines.
 */
export function promisedLines(source: string): string[] {
  const lines = source.split('\n')
  return lines.flatMap((line, index) => {
    if (!statement.test(line)) return []
    const text = promise.exec(line)?.[1]
    if (text === undefined) throw new Error(`does not say what it prints: ${line.trim()}`)
    const inLoop = loop.test(line) || loop.test(lines[index - 1] ?? '')
    return inLoop ? text.split(', ') : [text]
  })
}

/** Whether a file is a program that can be run, and not only imported. */
export function isProgram(source: string): boolean {
  return source.split('\n').some((line) => statement.test(line))
}

/** The command that runs a file. */
export function commandFor(file: string): string[] {
  return file.endsWith('.py') ? ['python', file] : [process.execPath, file]
}
