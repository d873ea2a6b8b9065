import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { run } from '../../src/cli/run.ts'
import type { Template } from '../../src/cli/write-worker.ts'
import { repository } from '../size/bundle.ts'

let codes: Readonly<Record<string, string>>
const template: Template = (kind) => codes[kind] ?? ''

beforeAll(async () => {
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: { worker: 'src/cli/ready-made.ts', 'kill-switch': 'src/cli/kill-switch.ts' },
    bundle: true,
    format: 'iife',
    write: false,
    outdir: 'cli',
  })
  codes = Object.fromEntries(outputFiles.map(({ path, text }) => [/([\w-]+)\.js$/.exec(path)?.[1] ?? '', text]))
}, 60_000)

let cwd = ''
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'nearcache-cli-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  mkdirSync(join(cwd, 'public/docs/images'), { recursive: true })
  for (const [path, text] of Object.entries({
    'index.html': '<h1>Shop</h1>',
    'app.js': 'run()',
    'app.js.map': '{}',
    'docs/index.html': '<h1>Docs</h1>',
    'docs/images/a b.svg': '<svg/>',
    '.hidden': 'x',
  }))
    writeFileSync(join(cwd, 'public', path), text)
})

/** Runs the command in a folder of its own. */
function nearcache(...args: string[]) {
  let [out, err] = ['', '']
  const code = run(args, {
    cwd,
    template,
    print: (text) => {
      out += text
    },
    complain: (text) => {
      err += text
    },
  })
  return { code, out, err }
}
const written = (name = 'nearcache-sw.js') => readFileSync(join(cwd, 'public', name), 'utf8')
const configOf = (text: string) => JSON.parse(/^const NEARCACHE = (.*);$/m.exec(text)?.[1] ?? '')

/** Runs a worker's text as a browser would, and tells what it listens to. */
function listens(text: string): string[] {
  const heard: string[] = []
  const self = {
    location: { origin: 'https://shop.test', href: 'https://shop.test/nearcache-sw.js' },
    registration: {},
    clients: {},
    addEventListener: (type: string) => heard.push(type),
  }
  new Function('globalThis', 'self', text)(self, self)
  return heard
}

describe('nearcache sw DIR', () => {
  test('writes a worker that runs by itself, and says what to do next', () => {
    const { code, out, err } = nearcache('sw', 'public')
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^public\/nearcache-sw\.js: \d+ kB\./)
    expect(out).toContain("await registerServiceWorker('/nearcache-sw.js')")
    expect(listens(written())).toEqual(['install', 'activate', 'fetch', 'message'])
    expect(written()).not.toMatch(/\bimport\s*\(|^import /m)
  })

  test('takes its options from nearcache.config.json and from flags', () => {
    const route = { kind: 'image', strategy: 'stale-while-revalidate' }
    writeFileSync(join(cwd, 'nearcache.config.json'), JSON.stringify({ name: 'shop', routes: [route] }))
    expect(nearcache('sw', 'public', '--claim', '--exclude', '/admin/*').code).toBe(0)
    expect(configOf(written())).toEqual({
      name: 'shop',
      claim: true,
      routes: [{ match: '/admin/*', strategy: 'network' }, route],
    })
  })

  test('lists the files of a shell with their hashes, pages under the address of their folder', () => {
    const { out } = nearcache('sw', 'public', '--shell', '--page', '/')
    expect(out).toContain('an app shell of 4 files')
    const { shell } = configOf(written())
    expect(shell.files.map(({ url }: { url: string }) => url)).toEqual([
      '/app.js',
      '/docs/images/a%20b.svg',
      '/docs/',
      '/',
    ])
    expect(shell.files[3].hash).toBe('sha256-SZwZj4TaZuWqiv4/flyzVKnT0iD6he21hNdmkCczaX4=')
    expect(shell.page).toBe('/')
  })

  test('gives the same files the same version, and writes over its own file only', () => {
    const versionNow = () => {
      expect(nearcache('sw', 'public', '--shell').err).toBe('')
      return configOf(written()).shell.version
    }
    const first = versionNow()
    expect(versionNow()).toBe(first)
    writeFileSync(join(cwd, 'public/app.js'), 'run(2)')
    expect(versionNow()).not.toBe(first)
    writeFileSync(join(cwd, 'public/nearcache-sw.js'), '// mine')
    expect(nearcache('sw', 'public')).toMatchObject({
      code: 1,
      err: expect.stringContaining('was not written by nearcache'),
    })
    expect(nearcache('sw', 'public', '--out', 'worker.js').code).toBe(0)
  })

  test.each(['worker.js', 'docs/worker.js'])(
    'leaves out of the shell what it has written itself (%s): that has another hash each time, and a list which names it could never be installed',
    (path) => {
      nearcache('sw', 'public', '--out', 'worker.js')
      renameSync(join(cwd, 'public/worker.js'), join(cwd, 'public', path))
      nearcache('sw', 'public', '--shell', '--out', 'new.js')
      const urls = configOf(written('new.js')).shell.files.map(({ url }: { url: string }) => url)
      expect(urls).toEqual(['/app.js', '/docs/images/a%20b.svg', '/docs/', '/'])
    },
  )

  test('writes a worker that removes itself', () => {
    expect(nearcache('sw', 'public', '--kill', '--reload').code).toBe(0)
    expect(configOf(written())).toEqual({ reload: true })
    expect(listens(written())).toEqual(['install', 'activate'])
  })
})

test('the worker that removes itself takes nearcache’s own with it and nothing else, and loads pages again only when told', async () => {
  for (const reload of [false, true]) {
    expect(nearcache('sw', 'public', '--kill', ...(reload ? ['--reload'] : [])).code).toBe(0)
    const done: string[] = []
    const note = (name: string) => async () => done.push(name)
    const listeners = new Map<string, (event: { waitUntil(work: Promise<unknown>): void }) => void>()
    const self = {
      caches: {
        keys: async () => ['nearcache-opaque', 'nearcache-shell-1', 'nearcache-shell-pages', 'somebody-else'],
        delete: async (name: string) => done.push(`cache ${name}`),
      },
      indexedDB: { deleteDatabase: (name: string) => done.push(`database ${name}`) },
      registration: { unregister: note('unregistered') },
      clients: { matchAll: async () => [{ url: '/', navigate: note('reloaded') }] },
      skipWaiting: note('took over'),
      addEventListener: (type: string, listener: never) => listeners.set(type, listener),
    }
    new Function('globalThis', 'self', written())(self, self)
    for (const type of ['install', 'activate']) {
      const works: Promise<unknown>[] = []
      listeners.get(type)?.({ waitUntil: (work) => works.push(work) })
      await Promise.all(works)
    }
    expect(done).toEqual([
      'took over',
      'unregistered',
      'database nearcache',
      'database nearcache-keys',
      'database nearcache-purge-feed',
      'cache nearcache-opaque',
      'cache nearcache-shell-1',
      'cache nearcache-shell-pages',
      ...(reload ? ['reloaded'] : []),
    ])
  }
})

test.each(['keys', 'delete', 'databases', 'pages'])(
  'the worker that removes itself is gone whatever fails (%s), with as much as can be removed',
  async (what) => {
    nearcache('sw', 'public', '--kill', '--reload')
    const done: string[] = []
    const fail = () => Promise.reject(new DOMException('broken', 'UnknownError'))
    const note = (name: string) => async () => done.push(name)
    const listeners = new Map<string, (event: { waitUntil(work: Promise<unknown>): void }) => void>()
    const self = {
      caches: {
        keys: what === 'keys' ? fail : async () => ['nearcache-opaque'],
        delete: what === 'delete' ? fail : note('cache'),
      },
      indexedDB: {
        deleteDatabase: () => {
          if (what === 'databases') throw new DOMException('broken', 'SecurityError')
          done.push('database')
        },
      },
      registration: { unregister: note('unregistered') },
      clients: {
        matchAll: async () => [
          { url: '/gone', navigate: what === 'pages' ? fail : note('reloaded') },
          { url: '/', navigate: note('reloaded') },
        ],
      },
      skipWaiting: note('took over'),
      addEventListener: (type: string, listener: never) => listeners.set(type, listener),
    }
    new Function('globalThis', 'self', 'reportError', written())(self, self, () => done.push('reported'))
    const works: Promise<unknown>[] = []
    listeners.get('activate')?.({ waitUntil: (work) => works.push(work) })
    await Promise.allSettled(works)
    expect(done).toContain('unregistered')
    expect(done).toContain('reloaded')
    expect(done.includes('database')).toBe(what !== 'databases')
    expect(done.includes('cache')).toBe(what !== 'keys' && what !== 'delete')
  },
)

describe('what is wrong is said, and nothing is written', () => {
  test.each([
    [['serve', 'public'], 'There is no command serve'],
    [['sw'], 'sw needs the folder'],
    [['sw', 'public', 'more'], 'sw takes one folder'],
    [['sw', 'nowhere'], 'nowhere is no folder'],
    [['sw', 'public/app.js'], 'public/app.js is no folder'],
    [['sw', 'public', '--claims'], "Unknown option '--claims'"],
    [['sw', 'public', '--config', 'none.json'], 'none.json is not there'],
    [['sw', 'public', '--config', 'public/index.html'], 'public/index.html is not JSON'],
    [['sw', 'public', '--page', '/'], '--page goes with --shell'],
    [['sw', 'public', '--shell', '--page', '/start'], '--page is /start, which is no file in public'],
    [['sw', 'public', '--base', 'app'], '--base is app'],
    [['sw', 'public', '--out', '../x.js'], '--out is ../x.js'],
    [['sw', 'public', '--reload'], '--reload goes with --kill'],
  ])('%j', (args, message) => {
    const { code, out, err } = nearcache(...args)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(message)
    expect(() => written()).toThrow('ENOENT')
  })

  test('an option of the configuration by its path', () => {
    writeFileSync(join(cwd, 'nearcache.config.json'), '{ "routes": [{ "kind": "pictures" }] }')
    expect(nearcache('sw', 'public').err).toContain('nearcache.config.json: routes[0].kind is "pictures"')
  })
})

test('without a word it says how it is used', () => {
  expect(nearcache()).toMatchObject({ code: 0, out: expect.stringContaining('nearcache sw DIR') })
})
