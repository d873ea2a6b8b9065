import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test, vi } from 'vitest'
import { createCache } from '../../src/index.ts'
import { harness } from './harness.ts'
import { mainPaths } from './main-paths.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

const expected = ['miss', 'fresh', 'fresh', 'fresh', 'stale-while-revalidate', 'validated']

test('the main paths give the same causes when Object.prototype and Array.prototype are polluted (F-80)', async () => {
  const well = await mainPaths()
  expect(well.slice(0, expected.length)).toEqual(expected)
  const pollution: ReadonlyArray<[object, string, unknown]> = [
    // Old polyfills: enumerable, so that they show in for-in.
    [Object.prototype, 'extend', () => {}],
    [Array.prototype, 'contains', () => false],
    // What an attacker would try: names that a cache may read from its own plain data.
    [Object.prototype, 'noStore', undefined],
    [Object.prototype, 'polluted', 'yes'],
    [Object.prototype, 'x-injected', 'yes'],
    [Array.prototype, 'polluted', ['a', 'b']],
  ]
  for (const [target, name, value] of pollution) {
    Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
  }
  try {
    expect(await mainPaths()).toEqual(well)
  } finally {
    for (const [target, name] of pollution) Reflect.deleteProperty(target, name)
  }
})

test('the main paths give the same causes when the built-in prototypes are frozen (F-80)', async () => {
  // In a process of its own: what is frozen stays so.
  const script = fileURLToPath(new URL('./frozen-prototypes.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script])
  expect(JSON.parse(stdout)).toEqual(await mainPaths())
}, 30_000)

test('a fetch that is patched after createCache() is used (F-80)', async () => {
  const cache = createCache({ store: 'memory', base: 'https://origin.test' })
  const patched = vi.fn(async () => new Response('patched', { headers: { 'cache-control': 'max-age=60' } }))
  vi.stubGlobal('fetch', patched)
  expect(await (await cache.fetch('/a')).text()).toBe('patched')
  await cache.settled()
  expect(await (await cache.fetch('/a')).text()).toBe('patched')
  expect(patched).toHaveBeenCalledTimes(1)
})

test('a fetch that is patched to call the cache does not call itself for ever (F-80)', async () => {
  const { origin, clock } = harness()
  const cache = createCache({ store: 'memory', base: origin.url, clock, fetch: origin.fetch })
  origin.serves('/a', { cacheControl: 'max-age=60', json: { id: 1 } })
  vi.stubGlobal('fetch', cache.fetch)
  expect(await (await fetch('/a')).json()).toEqual({ id: 1 })
  expect(await cache.json('/a')).toEqual({ id: 1 })
  expect(origin.requests).toHaveLength(1)
})

test('the main paths give the same causes with a Promise of the page’s own, and a fetch wrapped before us (F-80)', async () => {
  const well = await mainPaths()
  const { Promise: real, fetch: bare } = globalThis
  let made = 0
  /** As monitoring scripts wrap it: another class, with other methods. */
  class Watched<T> extends real<T> {
    constructor(...given: ConstructorParameters<typeof real<T>>) {
      super(...given)
      made++
    }
    static override get [Symbol.species]() {
      return real
    }
  }
  vi.stubGlobal('Promise', Watched)
  vi.stubGlobal('fetch', (...given: Parameters<typeof bare>) => new Watched((resolve) => resolve(bare(...given))))
  expect(await mainPaths()).toEqual(well)
  expect(made).toBeGreaterThan(0)
})
