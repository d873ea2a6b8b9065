import { beforeEach, expect, test } from 'vitest'
import { dehydratedScript, readDehydrated } from '../../src/hydration/index.ts'
import type { Dehydrated } from '../../src/index.ts'
import { harness } from '../engine/harness.ts'

beforeEach(() => {
  document.body.innerHTML = ''
})

const state = (url: string): Dehydrated => ({ v: 1, responses: [{ key: [url], stored: { url }, body: '' }] })
const urls = (found: Dehydrated) => found.responses.map(({ key }) => key[0])

test('what a server puts into a page is there in the page, from any number of places', async () => {
  const server = harness()
  server.origin.serves('/a', { cacheControl: 'max-age=60', json: { text: '</script><script>alert(1)</script><!-- ' } })
  const data = await server.cache.json('/a')
  document.body.innerHTML = `<p>${dehydratedScript(await server.cache.dehydrate())}</p>${dehydratedScript(state('https://b.test/'))}`
  expect(document.body.querySelectorAll('script')).toHaveLength(2)
  const page = harness({ clock: server.clock, fetch: server.origin.fetch, base: server.origin.url })
  page.cache.hydrate(readDehydrated())
  expect(page.cache.peek('/a')).toMatchObject({ data, stale: false })
})

test('no text in a response ends the element, or begins another one', () => {
  const hostile = ['</script>', '<!--', '<script>', ']]>', '&lt;', '\u2028\u2029', '"', '\\']
  const script = dehydratedScript(state(hostile.join('')))
  expect(script.slice(1, -1)).not.toMatch(/<(?!\/script$)|[\u2028\u2029&]/)
  document.body.innerHTML = script
  expect(urls(readDehydrated())).toEqual([hostile.join('')])
})

test('markup with the same id or name, or an element of another kind, is not read (DOM clobbering)', () => {
  document.body.innerHTML = `
    <img name="querySelectorAll"><form id="nearcache"></form>
    <div type="application/nearcache+json">${JSON.stringify(state('https://evil.test/'))}</div>
    <svg><script type="application/json">${JSON.stringify(state('https://evil.test/'))}</script></svg>
    ${dehydratedScript(state('https://good.test/'))}`
  expect(document.querySelectorAll).toBeInstanceOf(HTMLImageElement)
  expect(urls(readDehydrated())).toEqual(['https://good.test/'])
})

test('with a nonce only what carries it is read', () => {
  document.body.innerHTML =
    dehydratedScript(state('https://evil.test/'), { nonce: 'bm90IG91cnM=' }) +
    dehydratedScript(state('https://evil.test/')) +
    dehydratedScript(state('https://good.test/'), { nonce: 'b3Vycw==' })
  expect(urls(readDehydrated({ nonce: 'b3Vycw==' }))).toEqual(['https://good.test/'])
})

test('a nonce that would be markup is refused', () => {
  expect(() => dehydratedScript(state('https://a.test/'), { nonce: '"><script>' })).toThrow('A nonce is base64 text')
})

test('what is damaged, empty or of another version is left out', () => {
  document.body.innerHTML = ['', '{', 'null', '[]', '{"v":2,"responses":[]}', '{"v":1,"responses":7}']
    .map((text) => `<script type="application/nearcache+json">${text}</script>`)
    .join('')
  expect(readDehydrated()).toEqual({ v: 1, responses: [] })
})

test('what belongs to one user is in no page, unless the page asks for it (A-7)', async () => {
  const { cache, origin } = harness()
  origin.serves('/me', { cacheControl: 'private, max-age=60', json: 'ada' })
  origin.serves('/orders', { cacheControl: 'max-age=60', json: 'ada' })
  await cache.json('/me')
  await cache.json('/orders', { headers: { authorization: 'Bearer ada' } })
  expect(dehydratedScript(await cache.dehydrate())).not.toMatch(/ada|YWRh|ImFkYSI/)
  expect(urls(await cache.dehydrate(() => true))).toHaveLength(2)
})
