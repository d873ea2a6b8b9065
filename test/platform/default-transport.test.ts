import { afterEach, expect, test, vi } from 'vitest'
import { createCache } from '../../src/index.development.ts'

afterEach(() => vi.unstubAllGlobals())

const answering = (text: string) =>
  vi.fn<typeof fetch>(async () => new Response(text, { headers: { 'cache-control': 'no-store' } }))

test('a fetch that was replaced after createCache() is used', async () => {
  vi.stubGlobal('fetch', answering('before'))
  const cache = createCache({ store: 'memory' })
  vi.stubGlobal('fetch', answering('after'))
  expect(await (await cache.fetch('https://origin.test/')).text()).toBe('after')
})

test('the cache may take the place of fetch itself', async () => {
  vi.stubGlobal('fetch', answering('origin'))
  const cache = createCache({ store: 'memory' })
  vi.stubGlobal('fetch', cache.fetch)
  expect(await (await fetch('https://origin.test/')).text()).toBe('origin')
})

test('relative URLs start from where the page is now (HTML, document base URL)', async () => {
  const origin = answering('here')
  const document = { baseURI: 'https://shop.test/list/' }
  vi.stubGlobal('document', document)
  const cache = createCache({ store: 'memory', fetch: origin })
  await cache.fetch('a')
  document.baseURI = 'https://shop.test/cart/'
  await cache.fetch('a')
  expect(origin.mock.calls.map(([input]) => String(input))).toEqual([
    'https://shop.test/list/a',
    'https://shop.test/cart/a',
  ])
})
