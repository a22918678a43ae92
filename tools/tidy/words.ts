// Words that must not stand in the repository.
import { type Finding, type SourceFile, isGenerated, isRecorded, lineOf } from './source-files.ts'

interface Ban {
  pattern: RegExp
  instead: string
  /** Paths where the word is right. */
  except?: RegExp
}

// Names of other engines or of nothing at all, for things the glossary in ARCHITECTURE.md has a word for.
const glossary: Ban[] = [
  { pattern: /\braylets?\b/gi, instead: 'node agent' },
  { pattern: /\bplasma\b/gi, instead: 'store' },
  { pattern: /\bobject[ _-]?ids?\b/gi, instead: 'ref (ObjectRef), or StorageId for stored bytes' },
  { pattern: /\bmessage[ _-]?queues?\b/gi, instead: 'ring, or channel for the pair' },
  { pattern: /\bmail ?box(es)?\b/gi, instead: 'ring' },
  { pattern: /\bremote functions?\b/gi, instead: 'task' },
  { pattern: /\b(?:master|head|slave) node\b/gi, instead: 'node' },
  { pattern: /\bsub-?agents?\b/gi, instead: 'worker' },
  { pattern: /\bshmem\b/gi, instead: 'shared memory, or shm as the name of the layer' },
  { pattern: /\b(?:white|black)list/gi, instead: 'allow list, deny list' },
]

const leftovers: Ban[] = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g, instead: 'an issue, or the thing itself' },
]

const places: Ban[] = [
  {
    pattern: /(?<![\w.~$}])\/(?:work|root|home\/\w+|Users\/\w+)\//g,
    instead: 'a path relative to the file or the repository',
  },
  {
    pattern:
      /\b(?:registry\.npmjs\.org|pypi\.org|files\.pythonhosted\.org|repo1?\.maven\.org|deb\.debian\.org|\w+\.debian\.org)\b/g,
    instead: 'the registry that the machine has configured',
  },
]

function find(rule: string, bans: Ban[], { path, text }: SourceFile): Finding[] {
  return bans
    .filter(({ except }) => !except?.test(path))
    .flatMap(({ pattern, instead }) =>
      [...text.matchAll(pattern)].map((match) => {
        const message = `line ${lineOf(text, match.index)}: "${match[0]}"; use ${instead}`
        return { rule, path, message }
      }),
    )
}

export function words(file: SourceFile): Finding[] {
  // This folder spells the words out, and the licence is not ours to edit.
  if (file.path.startsWith('tools/tidy/') || file.path === 'LICENSE') return []
  const found = find('place', places, file)
  if (isGenerated(file.path) || isRecorded(file.path)) return found
  return [...found, ...find('glossary', glossary, file), ...find('leftover', leftovers, file)]
}
