import packageJson from '../../../package.json' with { type: 'json' }
import type { LogSelector, PurgeMode } from '../../../src/http/message.ts'
import type { CacheOptions } from '../../../src/index.ts'
import type { Random } from '../../../src/ports/random.ts'
import type { Store } from '../../../src/ports/store.ts'
import { encryptedStore } from '../../../src/stores/encrypted.ts'
import { createIndexedDbStore, type IndexedDbOptions } from '../../../src/stores/indexeddb.ts'
import type { KeyRing } from '../../../src/stores/key-ring.ts'
import { type ScriptedResponse, seededRandom } from '../../../src/testing/index.ts'
import { type Profile, profile, rowsOf } from '../../faults/database-harness.ts'
import type { Golden } from './encoding.ts'

/** The databases of the scene: one with everything, one that has evicted, one whose log was compacted, one that is encrypted. */
export const NAMES = ['nearcache', 'evicting', 'compacted', 'encrypted'] as const

/** Each of them is purged in every mode, after what is stored under `/purged/<name>/<mode>`, and before anything else is. */
export const SELECTORS: Readonly<Record<string, (mode: PurgeMode, origin: string) => LogSelector>> = {
  nobody: () => ({ partition: '' }),
  alice: () => ({ partition: 'alice' }),
  all: () => ({ all: true }),
  urls: (mode, origin) => ({ urls: [`${origin}/purged/urls/${mode}`] }),
  'urls-or-tags': (mode, origin) => ({ urls: [`${origin}/elsewhere/${mode}`], tags: [`urls-or-tags ${mode}`] }),
  tags: (mode) => ({ tags: ['none has it', `tags ${mode}`] }),
  pattern: (mode, origin) => ({ pattern: `${origin}/purged/pat*rn/${mode}` }),
}

/** What covers more goes first, so that what is stricter goes before what is not. */
export const MODES: readonly PurgeMode[] = ['hard', 'invalidate', 'soft']

/** Who has what is stored before such a purge. */
export const ownerOf = (selector: string): CacheOptions => (selector === 'alice' ? { partition: 'alice' } : {})

const FOR_EVER = 'max-age=315360000'
/** Stale from the first second on. */
const AT_ONCE = 'max-age=0'

/** What the origin of the scene serves; each lies on disk as the first response to its path. */
export const SERVED: Readonly<Record<string, ScriptedResponse>> = {
  '/fresh': { cacheControl: FOR_EVER, json: { path: '/fresh' } },
  '/large': { cacheControl: FOR_EVER, body: new Uint8Array(70_000).fill(108) },
  '/empty': { cacheControl: FOR_EVER, status: 204 },
  '/bytes': { cacheControl: FOR_EVER, body: Uint8Array.from({ length: 256 }, (_, index) => index) },
  '/gone': { cacheControl: FOR_EVER, status: 410, statusText: 'Gone for good', body: 'gone' },
  '/omit': { cacheControl: FOR_EVER, body: 'without cookies' },
  '/by-expires': { headers: { expires: 'Fri, 01 Jan 2038 00:00:00 GMT' }, body: 'fresh by Expires' },
  '/expired': { headers: { expires: '0' }, etag: '"expired"', body: 'never fresh' },
  '/undated': { cacheControl: FOR_EVER, date: false, headers: { age: '30' }, body: 'by its time of receipt' },
  '/by-heuristics': { lastModified: 'Wed, 01 Jan 2014 00:00:00 GMT', body: 'fresh by a tenth of its age' },
  '/stale': { cacheControl: AT_ONCE, etag: '"stale"', body: 'stale' },
  '/stale-by-date': { cacheControl: AT_ONCE, lastModified: 'Wed, 31 Dec 2025 00:00:00 GMT', body: 'stale' },
  '/stale-while-revalidate': {
    cacheControl: `${AT_ONCE}, stale-while-revalidate=315360000`,
    etag: 'W/"behind"',
    body: 'behind',
  },
  '/stale-if-error': { cacheControl: `${AT_ONCE}, stale-if-error=315360000`, etag: '"ill"', body: 'while ill' },
  '/no-cache': { cacheControl: `${FOR_EVER}, no-cache`, etag: '"each time"', body: 'validated each time' },
  '/no-cache-field': {
    cacheControl: `${FOR_EVER}, no-cache="x-secret"`,
    headers: { 'x-secret': 'once', 'x-open': 'ever' },
    body: 'one field less',
  },
  '/understood': { cacheControl: `${FOR_EVER}, no-store, must-understand, must-revalidate`, body: 'understood' },
  '/public': { cacheControl: `${FOR_EVER}, public, immutable`, body: 'everyone may' },
  '/vary': { cacheControl: FOR_EVER, vary: 'Accept-Language, X-Missing' },
  '/hidden-vary': { cacheControl: FOR_EVER, type: 'cors', body: 'what it varies on is hidden' },
  '/tagged': { cacheControl: FOR_EVER, tags: ['one', 'two'], headers: { 'cache-groups': '"group"' }, body: 'tagged' },
  '/part': {
    status: 206,
    cacheControl: FOR_EVER,
    etag: '"part"',
    headers: { 'content-range': 'bytes 2-5/10' },
    body: 'cdef',
  },
  '/part-of-unknown': {
    status: 206,
    cacheControl: FOR_EVER,
    etag: '"part"',
    headers: { 'content-range': 'bytes 0-3/*' },
    body: 'abcd',
  },
  '/changed': { cacheControl: FOR_EVER, etag: '"before"', body: 'before' },
  '/cookie': { cacheControl: FOR_EVER, headers: { 'set-cookie': 'a=b' }, body: 'without its cookie' },
  '/search?q=1': { cacheControl: FOR_EVER, headers: { 'no-vary-search': 'params=("utm")' }, body: 'a search' },
  '/freshened': { cacheControl: 'max-age=1', etag: '"same"', headers: { 'x-count': '1' }, body: 'freshened' },
  '/mine': { cacheControl: `${FOR_EVER}, private`, vary: 'Cookie', body: "alice's" },
  '/mine/apart': { cacheControl: `${FOR_EVER}, private`, body: new Uint8Array(2_000).fill(98) },
  '/mine/large': { cacheControl: `${FOR_EVER}, private`, body: new Uint8Array(70_000).fill(97) },
}

/** What a purge of the scene covers: fresh without it, and of use while it is stale. */
export const covered = (path: string): ScriptedResponse => ({
  cacheControl: `${FOR_EVER}, stale-while-revalidate=315360000, stale-if-error=315360000`,
  etag: `"${path}"`,
  tags: [path.replace('/purged/', '').replace('/', ' ')],
  body: `purged: ${path}`,
})

/** A key that is no secret, so that what it encrypted can be read for ever. */
async function goldenKeys(): Promise<KeyRing> {
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => index)
  const key = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  return { find: async () => key, keyFor: async () => key, drop: async () => {}, keepOnly: async () => {} }
}

const mine = ['/mine', '/mine/apart', '/mine/large']

/** A bare store on one of the databases. */
export const storeOf = (
  { database, clock }: Pick<Profile, 'database' | 'clock'>,
  name: string,
  more: Partial<IndexedDbOptions> = {},
): Store =>
  createIndexedDbStore({
    name,
    factory: database.factory,
    keyRange: database.keyRange,
    clock,
    random: seededRandom(99),
    maxBytes: 1e7,
    maxEntryBytes: 1e6,
    onNotice: () => {},
    ...more,
  })

export const encryptedOf = async (
  world: Pick<Profile, 'database' | 'clock'>,
  random: Random = seededRandom(98),
): Promise<Store> =>
  encryptedStore(storeOf(world, 'encrypted', { inlineBytes: 1_000 }), await goldenKeys(), {
    subtle: crypto.subtle,
    fillRandom: (bytes) => bytes.map(() => Math.floor(random() * 256)),
    onNotice: () => {},
  })

/** Plays the scene with the library as it is now. The same each time. */
export async function playScene(): Promise<Golden> {
  const world = await profile()
  const { clock, origin } = world
  for (const [path, response] of Object.entries(SERVED)) origin.serves(path, response)
  origin.serves('/vary', ({ headers }) => ({ ...SERVED['/vary'], body: `in ${headers['accept-language']}` }))
  origin.serves('/purged/*', ({ path }) => covered(path))

  /** One page's visit: it stores what it fetches, and goes before it is idle, so that nothing is swept. */
  async function visit(requests: ReadonlyArray<string | readonly [string, RequestInit]>, options: CacheOptions = {}) {
    const { cache, events } = world.open({ earlyExpiry: false, ...options })
    for (const request of requests) {
      const [path, init] = typeof request === 'string' ? [request] : request
      await (await cache.fetch(path, init)).arrayBuffer()
      await cache.settled()
      await clock.advance(200)
    }
    await cache.close()
    const failed = events.filter(({ type }) => type === 'store-failed')
    if (failed.length > 0) throw new Error(`The scene fails: ${JSON.stringify(failed)}`)
  }

  const purge = (name: string, mode: PurgeMode, selector: LogSelector) =>
    storeOf(world, name).update([], () => [{ kind: 'purge', purge: { selector, mode, at: clock.now() } }], {
      durability: 'strict',
    })

  await storeOf(world, 'nearcache').enter?.('alice')
  for (const mode of MODES) {
    for (const [name, selectorOf] of Object.entries(SELECTORS)) {
      await visit([`/purged/${name}/${mode}`], ownerOf(name))
      await purge('nearcache', mode, selectorOf(mode, origin.url))
    }
  }

  const plain = Object.keys(SERVED).filter(
    (path) => !mine.includes(path) && !path.startsWith('/part') && path !== '/vary',
  )
  await visit([
    ...plain.map((path) => (path === '/omit' ? ([path, { credentials: 'omit' }] as const) : path)),
    ['/vary', { headers: { 'accept-language': 'en' } }],
    ['/vary', { headers: { 'accept-language': 'fr' } }],
    ['/hidden-vary', { headers: { 'x-set-by-script': 'yes' } }],
    ['/part', { headers: { range: 'bytes=2-5' } }],
    ['/part-of-unknown', { headers: { range: 'bytes=0-3' } }],
  ])
  origin.serves('/changed', { ...SERVED['/changed'], etag: '"after"', body: 'afterwards' })
  origin.serves('/freshened', { ...SERVED['/freshened'], cacheControl: FOR_EVER, headers: { 'x-count': '2' } })
  await visit([['/changed', { method: 'HEAD', cache: 'reload' }], '/freshened'])
  await visit(mine, { partition: 'alice' })
  // Whoever reads from the disk leaves bits there, with the next write.
  await visit(['/fresh', '/large', '/purged/last'])

  const many = Array.from({ length: 12 }, (_, index) => `/purged/evicting/${index + 10}`)
  await visit(many, { name: 'evicting', disk: { maxBytes: 12_000, maxEntryBytes: 6_000 } })

  await visit(['/purged/compacted/below'], { name: 'compacted' })
  for (let index = 0; index < 1_001; index++) {
    await purge('compacted', 'soft', { tags: [`${index}`] })
    if (index === 0) await visit(['/purged/compacted/above'], { name: 'compacted' })
  }

  const store = await encryptedOf(world)
  await visit(['/fresh'], { store })
  await visit(['/mine', '/mine/apart'], { store, partition: 'alice' })

  const databases: Record<string, Awaited<ReturnType<typeof rowsOf>>> = {}
  for (const name of NAMES) databases[name] = await rowsOf(world.database, name)
  return { version: packageJson.version, at: clock.now(), databases }
}
