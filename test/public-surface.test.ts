import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }

/** Every entry, and everything that its users may rely on. A change here is a change of the public surface: it belongs into CHANGELOG.md. */
const surface = {
  '.': ['CacheError', 'createCache', 'trackingParameters'],
  './purge-feed': ['followPurgeFeed'],
  './server': ['cacheControl', 'createPurgeHub', 'toNodeHandler', 'withHttpCache'],
  './server/redis': ['redisPurgeLog'],
  './testing': [
    'chaos',
    'createWorld',
    'scriptedOrigin',
    'seededRandom',
    'storeContract',
    'virtualClock',
    'virtualIndexedDB',
  ],
  './unstorage': ['unstorageStore'],
  './service-worker': ['installCache'],
  './register': ['registerServiceWorker'],
  './vite': ['nearcache'],
  './hydration': ['dehydratedScript', 'readDehydrated'],
  './react': ['CacheProvider', 'useCache', 'useFetch', 'useSuspenseFetch'],
}

const sources = {
  '.': '../src/index.ts',
  './purge-feed': '../src/purge-feed/index.ts',
  './server': '../src/server/index.ts',
  './server/redis': '../src/server/redis/index.ts',
  './testing': '../src/testing/index.ts',
  './unstorage': '../src/unstorage/index.ts',
  './service-worker': '../src/service-worker/index.ts',
  './register': '../src/service-worker/register.ts',
  './vite': '../src/cli/vite.ts',
  './hydration': '../src/hydration/index.ts',
  './react': '../src/react/index.ts',
}

const methods = [
  'close',
  'dehydrate',
  'explain',
  'fetch',
  'hydrate',
  'json',
  'on',
  'peek',
  'purge',
  'setPartition',
  'settled',
  'stats',
  'subscribe',
  'update',
]

test.each(Object.entries(surface))('the entry %s exports exactly what is listed', async (entry, names) => {
  const source: object = await import(sources[entry as keyof typeof sources])
  expect(Object.keys(source).sort()).toEqual(names)
})

test('production and development export the same', async () => {
  const [production, development] = await Promise.all([
    import('../src/index.ts'),
    import('../src/index.development.ts'),
  ])
  expect(Object.keys(development).sort()).toEqual(Object.keys(production).sort())
})

test('every type that production exports stands for both: only one of them has types', () => {
  expect(packageJson.exports['.'].types).toBe('./dist/index.d.ts')
  const text = readFileSync(new URL('../src/index.development.ts', import.meta.url), 'utf8')
  expect(text).not.toMatch(/^export type/m)
})

test('package.json lists these entries and no others', () => {
  expect(Object.keys(packageJson.exports).sort()).toEqual([...Object.keys(surface), './package.json'].sort())
})

test.each(['../src/index.ts', '../src/index.development.ts'])(
  'a cache of %s has exactly these methods',
  async (path) => {
    const { createCache } = (await import(path)) as typeof import('../src/index.ts')
    const cache = createCache({ store: 'memory' })
    expect(Object.keys(cache).sort()).toEqual(methods)
    for (const method of Object.values(cache)) expect(method).toBeTypeOf('function')
  },
)

test('trackingParameters is a list that nobody can change for all', async () => {
  const { trackingParameters } = await import('../src/index.ts')
  expect(Object.isFrozen(trackingParameters)).toBe(true)
  for (const name of ['utm_*', 'fbclid', 'gclid', 'msclkid']) expect(trackingParameters).toContain(name)
})
