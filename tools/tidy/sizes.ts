// Sizes of files and functions. The figures are where a file or function asks for a second look, not a law of nature:
// tools/tidy/exceptions.json lists those that had it.
import ts from 'typescript'
import { type Finding, type SourceFile, isCode, isGenerated, lineOf } from './source-files.ts'

export const fileLinesMax = 500
export const functionLinesMax = 70

export interface FunctionSize {
  name: string
  line: number
  lines: number
}

export function typescriptFunctions(file: SourceFile): FunctionSize[] {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
  const sizes: FunctionSize[] = []
  const visit = (node: ts.Node): void => {
    // The callback of describe() groups tests; it is no function to be read as one.
    const call = node.parent as ts.Node | undefined
    const groups =
      call && ts.isCallExpression(call) && /^describe\b/.test(call.expression.getText(source))
    if (ts.isFunctionLike(node) && 'body' in node && node.body && !groups) {
      const start = source.getLineAndCharacterOfPosition(node.getStart(source)).line
      const end = source.getLineAndCharacterOfPosition(node.end).line
      const name = node.name?.getText(source) ?? '(anonymous)'
      sizes.push({ name, line: start + 1, lines: end - start + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return sizes
}

export function pythonFunctions(file: SourceFile): FunctionSize[] {
  const lines = file.text.split('\n')
  const sizes: FunctionSize[] = []
  lines.forEach((text, start) => {
    const head = /^(\s*)(?:async )?def (\w+)/.exec(text)
    if (!head) return
    const indent = head[1]?.length ?? 0
    let last = start
    // The signature may go on over lines that close at the indentation of `def`.
    for (let at = start + 1; at < lines.length; at++) {
      const line = lines[at] ?? ''
      if (line.trim() === '') continue
      if (/^\s*/.exec(line)![0].length <= indent && !/^\s*\)/.test(line)) break
      last = at
    }
    sizes.push({ name: head[2] ?? '', line: start + 1, lines: last - start + 1 })
  })
  return sizes
}

/** The text with comments, strings and preprocessor lines blanked, so that braces and lines keep their places. */
function blankCpp(text: string): string {
  const blank = (match: string): string => match.replace(/[^\n]/g, ' ')
  return text
    .replace(/R"(\w*)\([\s\S]*?\)\1"/g, blank)
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'/g, blank)
    .replace(/^[ \t]*#(?:[^\n]*\\\n)*[^\n]*/gm, blank)
}

const notFunction =
  /^\s*(?:(?:if|for|while|switch|catch|else|do|namespace|class|struct|union|enum|extern|try)\b|$)/

export function cppFunctions(file: SourceFile): FunctionSize[] {
  const text = blankCpp(file.text)
  const sizes: FunctionSize[] = []
  const open: { start: number; name: string | undefined }[] = []
  let headStart = 0
  for (const { 0: mark, index } of text.matchAll(/[{};]/g)) {
    if (mark === '{') {
      const head = text.slice(headStart, index)
      const inside = open.some((block) => block.name !== undefined)
      const looksLikeFunction =
        !inside &&
        head.includes('(') &&
        !notFunction.test(head.replace(/^\s*template\s*<[^>]*>/, ''))
      const lead = /^\s*/.exec(head)![0].length
      const name = looksLikeFunction
        ? (/([\w:~]+)\s*\(/.exec(head)?.[1] ?? '(operator)')
        : undefined
      open.push({ start: headStart + lead, name })
    } else if (mark === '}') {
      const block = open.pop()
      if (block?.name !== undefined) {
        const line = lineOf(text, block.start)
        sizes.push({ name: block.name, line, lines: lineOf(text, index) - line + 1 })
      }
    }
    headStart = index + 1
  }
  return sizes
}

function functionsOf(file: SourceFile): FunctionSize[] {
  if (/\.(ts|mjs|js)$/.test(file.path)) return typescriptFunctions(file)
  if (file.path.endsWith('.py')) return pythonFunctions(file)
  return cppFunctions(file)
}

export function sizes(file: SourceFile): Finding[] {
  if (!isCode(file.path) || isGenerated(file.path)) return []
  const findings: Finding[] = []
  const lines = file.text.split('\n').length - 1
  if (lines > fileLinesMax) {
    findings.push({
      rule: 'file-size',
      path: file.path,
      size: lines,
      message: `${lines} lines, at most ${fileLinesMax}`,
    })
  }
  for (const { name, line, lines: size } of functionsOf(file)) {
    if (size <= functionLinesMax) continue
    const message = `line ${line}: ${name} has ${size} lines, at most ${functionLinesMax}`
    findings.push({ rule: 'function-size', path: `${file.path}#${name}`, size, message })
  }
  return findings
}
