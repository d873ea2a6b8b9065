import type { CacheOptions, NearCache } from '../../src/index.ts'
import { type Globals, type Page, type Profile, profile, watched } from './database-harness.ts'

/** A page that finds these stored by the one before it, and what became of them since. */
export interface World extends Profile {
  /** The page that a test fails the storage of. */
  page(options?: CacheOptions, globals?: Globals): Page
  /** That of its pages. */
  readonly partition: string
  /** The origin has something new at every path. */
  touch(): void
  /** Every body that the origin has made, by path, in order. */
  readonly made: ReadonlyMap<string, readonly string[]>
}

/** Fresh, stale, stale but usable, too large to lie in its record, with variants: and one that nobody has asked for yet. */
const PATHS = ['/fresh', '/stale', '/swr', '/large', '/vary', '/new'] as const

/** @param usual - what every page of it has, beside what a test gives it */
export async function world(usual: (profile: Profile) => CacheOptions = () => ({})): Promise<World> {
  const given = await profile()
  const base: Profile = {
    ...given,
    open: (options, globals) => given.open({ ...usual(given), ...options }, globals),
  }
  const made = new Map<string, string[]>()
  let version = 1
  base.origin.serves('*', ({ path, headers, method }) => {
    const language = path === '/vary' ? (headers['accept-language'] ?? '') : ''
    const body = JSON.stringify({ path, version, language, pad: path === '/large' ? 'x'.repeat(80_000) : '' })
    if (method !== 'HEAD') made.set(path, [...(made.get(path) ?? []), body])
    return {
      cacheControl: { '/stale': 'max-age=1', '/swr': 'max-age=1, stale-while-revalidate=6000' }[path] ?? 'max-age=6000',
      etag: `"${version}${language}"`,
      ...(path === '/vary' && { vary: 'accept-language' }),
      headers: {
        'content-type': 'application/json',
        'cache-tag': 'shelf',
        ...(path === '/clear' && { 'clear-site-data': '"cache"' }),
      },
      body,
    }
  })
  const { cache } = base.open()
  await Promise.all(PATHS.filter((path) => path !== '/new').map((path) => text(cache.fetch(path))))
  await text(cache.fetch('/vary', { headers: { 'accept-language': 'de' } }))
  await cache.close()
  await base.clock.advance(10_000)
  return {
    ...base,
    page: base.open,
    partition: usual(given).partition ?? '',
    made,
    touch() {
      version++
    },
  }
}

const text = async (response: Promise<Response>) => (await response).text()

/** An operation of the public surface. What it gives is the text of the path that it reads, if it reads one. */
export interface Operation {
  readonly name: string
  readonly reads?: string
  /** It needs no storage. */
  readonly isBare?: true
  /** No response from before it is given afterwards. */
  readonly purges?: readonly string[]
  run(cache: NearCache, world: World): Promise<unknown>
}

const reading = (name: string, path: string, init?: RequestInit): Operation => ({
  name,
  reads: path,
  run: (cache) => text(cache.fetch(path, init)),
})

const purging = (name: string, purges: readonly string[], run: (cache: NearCache) => Promise<unknown>): Operation => ({
  name,
  purges,
  run(cache, { touch }) {
    touch()
    return run(cache)
  },
})

/** A schema that takes whatever it is (Standard Schema). */
const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const

export const operations: readonly Operation[] = [
  reading('fetch of what is fresh', '/fresh'),
  reading('fetch of what is stale', '/stale'),
  reading('fetch of what is refreshed behind', '/swr'),
  reading('fetch of a large body', '/large'),
  reading('fetch of a variant', '/vary', { headers: { 'accept-language': 'de' } }),
  reading('fetch of what is not stored', '/new'),
  reading('fetch with reload', '/fresh', { cache: 'reload' }),
  reading('fetch with no-cache', '/fresh', { cache: 'no-cache' }),
  { ...reading('fetch with no-store', '/fresh', { cache: 'no-store' }), isBare: true },
  reading('fetch with force-cache', '/stale', { cache: 'force-cache' }),
  reading('fetch in the background', '/stale', { nearcache: { priority: 'background' } } as RequestInit),
  { name: 'json', reads: '/large', run: async (cache) => JSON.stringify(await cache.json('/large')) },
  {
    name: 'json with a schema',
    reads: '/stale',
    run: async (cache) => JSON.stringify(await cache.json('/stale', { schema: anything })),
  },
  { name: 'HEAD', run: (cache) => cache.fetch('/stale', { method: 'HEAD' }) },
  { name: 'a range', run: (cache) => text(cache.fetch('/large', { headers: { range: 'bytes=0-9' } })) },
  {
    name: 'many at once',
    run: (cache) => Promise.all([...PATHS, ...PATHS].map((path) => text(cache.fetch(path)))),
  },
  purging('an answer with Clear-Site-Data', PATHS, async (cache) => {
    await text(cache.fetch('/clear'))
  }),
  purging('POST', ['/fresh'], (cache) => text(cache.fetch('/fresh', { method: 'POST', body: '1' }))),
  purging('purge of a URL', ['/fresh'], (cache) => cache.purge({ url: '/fresh' }, { mode: 'hard' })),
  purging('read, then purge', ['/fresh', '/large'], async (cache) => {
    await Promise.all(['/fresh', '/other'].map((path) => text(cache.fetch(path))))
    await cache.settled()
    await cache.purge({ pattern: '/*' }, { mode: 'hard' })
  }),
  purging('purge of a tag', PATHS, (cache) => cache.purge({ tag: 'shelf' }, { mode: 'hard' })),
  purging('purge of tags', PATHS, (cache) => cache.purge({ tags: ['none', 'shelf'] }, { mode: 'hard' })),
  {
    name: 'purge of a partition',
    purges: PATHS,
    run(cache, { touch, partition }) {
      touch()
      return cache.purge({ partition }, { mode: 'hard' })
    },
  },
  purging('purge of all', PATHS, (cache) => cache.purge({ all: true }, { mode: 'hard' })),
  { name: 'soft purge', run: (cache) => cache.purge({ pattern: '/*' }) },
  {
    name: 'soft purge that is read anew at once',
    async run(cache) {
      const stop = cache.subscribe('/fresh', () => {})
      await cache.purge({ url: '/fresh' }, { spreadMs: 100 })
      stop()
    },
  },
  {
    name: 'purge while it is read',
    purges: ['/large'],
    async run(cache, { touch }) {
      const first = text(cache.fetch('/large'))
      touch()
      await cache.purge({ url: '/large' }, { mode: 'hard' })
      await Promise.all([first, text(cache.fetch('/large'))])
    },
  },
  { name: 'explain', run: (cache) => cache.explain('/large') },
  {
    name: 'peek, update, subscribe, stats and dehydrate',
    isBare: true,
    async run(cache) {
      const stop = cache.subscribe('/fresh', () => {})
      cache.peek('/fresh')
      cache.update('/fresh', (data) => data).rollback()
      stop()
      cache.stats()
      return cache.dehydrate()
    },
  },
  {
    name: 'hydrate',
    async run(cache, { page }) {
      const { cache: server } = page({ store: 'memory' })
      await server.json('/new')
      cache.hydrate(await server.dehydrate(() => true))
      await cache.settled()
    },
  },
  {
    name: 'on, subscribe, peek, update and dehydrate, of what was read',
    async run(cache) {
      const heard: string[] = []
      const stops = [
        cache.on(({ type }) => heard.push(type)),
        cache.subscribe('/stale', ({ type }) => heard.push(type)),
      ]
      const data = await cache.json('/stale')
      if (cache.peek('/stale')?.data !== data) throw new Error('What was read is not there')
      const { rollback } = cache.update('/stale', () => 'changed')
      if (cache.peek('/stale')?.data !== 'changed') throw new Error('What was changed is not there')
      await text(cache.fetch('/stale', { cache: 'no-cache' }))
      rollback()
      await cache.dehydrate()
      for (const stop of stops) stop()
      if (!heard.includes('answered')) throw new Error('Nothing was told')
    },
  },
  { name: 'settled', run: async (cache) => [await text(cache.fetch('/swr')), await cache.settled()] },
  { name: 'setPartition', run: (cache) => cache.setPartition('bob') },
  { name: 'setPartition to nobody', run: (cache) => cache.setPartition(undefined) },
  {
    name: 'close as the first thing, and fetch afterwards',
    isBare: true,
    run: async (cache) => [await cache.close(), await text(cache.fetch('/new'))],
  },
  { name: 'close', run: async (cache) => [await text(cache.fetch('/new')), await cache.close()] },
]

/** How long a read may take when it needs nothing but an origin that answers at once: `deadlines.diskMs`. */
const DISK_MS = 50

/** Time after which all must be over: several operations of the store, one behind the other, each up to its deadline. */
const OVER_MS = 30_000

/**
 * Does one operation while storage fails, and judges it: it comes to its end, as if there were no storage at worst; a read within `diskMs`, with a whole body of its own path. And so do all reads
 * after it, in this page and in the next one, when storage is well again.
 *
 * @param heal - ends what was wrong with storage
 * @param mayForget - storage has said that it did what it has not done
 * @returns what broke a law
 */
export async function judge(
  world: World,
  { cache }: Page,
  operation: Operation,
  heal: () => void,
  mayForget: boolean,
): Promise<string[]> {
  const { clock, made, page } = world
  const broken: string[] = []
  const demand = (holds: boolean, about: string) => holds || broken.push(about)
  const isWhole = (path: string, body: unknown) => (made.get(path) ?? []).includes(body as string)
  const stored = new Map([...made].map(([path, bodies]) => [path, new Set(bodies)]))

  const doing = watched(operation.run(cache, world))
  await clock.advance(DISK_MS)
  if (operation.reads) {
    demand(doing.state === 'fulfilled', `it is ${doing.state} after ${DISK_MS} ms`)
    demand(isWhole(operation.reads, doing.value), `it gave ${String(doing.value).slice(0, 80)}`)
  }
  await clock.advance(OVER_MS)
  // Whoever cannot be forgotten is the one thing that must be told by a failure.
  const mayReject = operation.name.startsWith('setPartition')
  demand(doing.state === 'fulfilled' || (mayReject && doing.state === 'rejected'), `it is ${doing.state} in the end`)

  heal()
  await clock.advance(60_000)
  // With its next use the disk takes what it failed to take.
  const using = watched(text(cache.fetch('/other')).then(() => cache.settled()))
  await clock.advance(OVER_MS)
  demand(using.state === 'fulfilled', `afterwards, another read is ${using.state}`)
  const last = page()
  for (const [whose, one, isSafe] of [
    ['the next page', last.cache, !mayForget],
    ['the page', cache, true],
  ] as const) {
    const reads = PATHS.map((path) => [path, watched(text(one.fetch(path)))] as const)
    await clock.advance(DISK_MS)
    for (const [path, read] of reads) {
      demand(read.state === 'fulfilled', `afterwards, ${whose} has ${path} ${read.state}`)
      demand(isWhole(path, read.value), `afterwards, ${whose} has of ${path} ${String(read.value).slice(0, 80)}`)
      const isPurged = operation.purges?.includes(path) && isSafe
      demand(
        !isPurged || !stored.get(path)?.has(read.value as string),
        `afterwards, ${whose} has ${path} from before the purge`,
      )
    }
    const settling = watched(one.settled())
    await clock.advance(OVER_MS)
    demand(settling.state === 'fulfilled', `${whose} is never settled`)
  }
  demand(
    last.events.every(({ type }) => type !== 'store-failed'),
    'storage is not well again for the next page',
  )
  return broken
}
