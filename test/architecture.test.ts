import { readdirSync, readFileSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

/**
 * What each part of `src` may import, beside itself: other parts, and packages. `errors` is the file src/errors.ts.
 * Siblings never import each other; a part that is not listed is an entry, and only an entry wires things together.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  http: [],
  ports: ['http', 'errors'],
  engine: ['http', 'ports', 'errors', '@standard-schema/spec'],
  stores: ['http', 'ports', 'errors', 'idb-keyval'],
  purge: ['http', 'ports', 'errors', 'zod'],
  tabs: ['http', 'ports', 'errors'],
  resilience: ['http', 'ports', 'errors'],
  observe: ['http', 'ports', 'errors'],
  platform: ['http', 'ports', 'errors'],
  // what the entries for browsers wire alike
  wiring: ['http', 'ports', 'engine', 'stores', 'resilience', 'platform', 'errors'],
  // what looks at options: those of the engine in the development build, those of a worker always
  validate: ['http', 'engine', 'errors', 'zod'],
}

/** The entries that are folders. Another entry may import their index.ts, nothing else in them. */
const entries = [
  'react',
  'hydration',
  'service-worker',
  'purge-feed',
  'server',
  'unstorage',
  'testing',
  'devtools',
  'cli',
]

/** What only `platform` and `testing` may name: time, chance, storage and network come in through ports. */
const platformGlobals =
  /\b(?:Date\.now|performance\.now|Math\.random|crypto|setTimeout|setInterval|indexedDB|navigator|BroadcastChannel|globalThis\.fetch)\b|\bnew Date\(\)/g
const mayNamePlatformGlobals = ['platform', 'testing']

const src = fileURLToPath(new URL('../src/', import.meta.url))
const files = new Map(
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => [path, readFileSync(src + path, 'utf8')]),
)

/** `http/decide.ts` → `http`, `errors.ts` → `errors`. */
const partOf = (path: string): string => path.split('/')[0]?.replace(/\.tsx?$/, '') ?? ''

/** What a file imports: files as paths from `src`, packages by their name without a subpath. */
function importsOf(path: string): string[] {
  return ts
    .preProcessFile(files.get(path) ?? '')
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith('.')
        ? posix.join(dirname(path), fileName)
        : (/^(?:@[^/]+\/)?[^/]+/.exec(fileName)?.[0] ?? fileName),
    )
}

/** A file's code without types, comments, and what stands inside strings, templates and regular expressions. */
function codeOf(text: string): string {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, removeComments: true },
  })
  const codeOfNode = (node: ts.Node): string => {
    if (ts.isLiteralExpression(node) || ts.isTemplateMiddleOrTemplateTail(node) || ts.isTemplateHead(node)) return ' '
    const children = node.getChildren()
    return children.length === 0 ? node.getFullText() : children.map(codeOfNode).join('')
  }
  return codeOfNode(ts.createSourceFile('code.js', outputText, ts.ScriptTarget.ESNext, true))
}

/** The first import cycle found, as the path around it. */
function findCycle(): string[] | undefined {
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path) || !files.has(path)) return undefined
    for (const imported of importsOf(path)) {
      const cycle = walk(imported, [...trail, path])
      if (cycle) return cycle
    }
    done.add(path)
    return undefined
  }
  for (const path of files.keys()) {
    const cycle = walk(path, [])
    if (cycle) return cycle
  }
  return undefined
}

describe('the architecture of src', () => {
  test('is looked at as it is: every part of the tables below is made of known folders and files', () => {
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['index.ts', 'index.development.ts', 'errors.ts', 'http/decide.ts', 'testing/index.ts']),
    )
    const folders = new Set([...files.keys()].filter((path) => path.includes('/')).map(partOf))
    expect([...folders].filter((folder) => !(folder in mayImport) && !entries.includes(folder))).toEqual([])
    expect([...folders]).toEqual(expect.arrayContaining(['http', 'ports', 'engine', 'stores', 'platform']))
  })

  test('imports run one way, and siblings do not import each other', () => {
    const wrong: string[] = []
    for (const path of files.keys()) {
      const part = partOf(path)
      for (const imported of importsOf(path)) {
        const target = files.has(imported) ? partOf(imported) : imported
        const allowed = mayImport[part]
        const isAllowed = allowed
          ? allowed.includes(target)
          : !entries.includes(target) || imported === `${target}/index.ts`
        if (target !== part && !isAllowed) wrong.push(`${path} imports ${imported}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('every relative import names an existing file with its real extension', () => {
    const wrong = [...files.keys()].flatMap((path) =>
      ts
        .preProcessFile(files.get(path) ?? '')
        .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
        .filter(({ fileName }) => !files.has(posix.join(dirname(path), fileName)))
        .map(({ fileName }) => `${path} imports ${fileName}`),
    )
    expect(wrong).toEqual([])
  })

  test('no file imports itself, by whatever way round', () => {
    expect(findCycle()).toBeUndefined()
  })

  test('only platform and testing name the clock, chance, timers, storage and network of the platform', {
    timeout: 60_000,
  }, () => {
    const named = [...files].flatMap(([path, text]) =>
      [...codeOf(text).matchAll(platformGlobals)].map(([name]) => ({ path, name })),
    )
    expect(named.filter(({ path }) => !mayNamePlatformGlobals.includes(partOf(path)))).toEqual([])
    // and the search does find what is there to be found
    expect(named.map(({ path }) => partOf(path))).toContain('platform')
  })

  test('nobody listens for unload or beforeunload, which keep a page out of the back/forward cache (HTML, page lifecycle)', () => {
    expect([...files].filter(([, text]) => /['"](?:before)?unload['"]/.test(text)).map(([path]) => path)).toEqual([])
  })
})

describe('the tests', () => {
  // The files of a process share their modules: a hook at the top of one is set up for the first file that imports it.
  test('a hook is set up by a test file, by a set-up file, or in a function that a test file calls', () => {
    const root = fileURLToPath(new URL('.', import.meta.url))
    const setUps = ['support/browser-clean.ts', 'support/react-clean.ts']
    const shared = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => /\.tsx?$/.test(path) && !/\.(?:test|e2e)\.tsx?$/.test(path) && !setUps.includes(path))
    expect(shared).toContain('react/harness.tsx')
    const hook = /^(?:before|after)(?:Each|All)\(/m
    expect(shared.filter((path) => hook.test(readFileSync(root + path, 'utf8')))).toEqual([])
  })
})
