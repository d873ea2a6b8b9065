import { describe, expect, test } from 'vitest'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'
import { pageHarness } from './page-harness.ts'

const PAGE = { cacheControl: 'max-age=60', etag: '"v1"', body: 'target' }

test('a redirected response is stored under the URL that it came from, never under the one that was asked for (RFC 9111 §2; Fetch, HTTP-redirect fetch)', async () => {
  const { cache, origin } = harness()
  origin.serves('/start', { redirect: '/target' })
  origin.serves('/target', PAGE)
  const response = await cache.fetch('/start')
  expect(response.redirected).toBe(true)
  expect(response.url).toBe('https://origin.test/target')
  expect(await response.text()).toBe('target')
  await cache.settled()
  expect((await cache.explain('/start')).candidates).toEqual([])
  expect((await cache.explain('/target')).cause).toBe('fresh')

  origin.serves('/start', { redirect: '/elsewhere' })
  origin.serves('/elsewhere', { ...PAGE, body: 'elsewhere' })
  expect(await (await cache.fetch('/start')).text()).toBe('elsewhere')
})

test('what is stored under the target answers a request for it as not redirected', async () => {
  const { cache, origin } = harness()
  origin.serves('/start', { redirect: '/target#part' })
  origin.serves('/target', PAGE)
  await (await cache.fetch('/start')).text()
  await cache.settled()
  const response = await cache.fetch('/target')
  expect(causeOf(response)).toBe('fresh')
  expect(response.redirected).toBe(false)
  expect(response.url).toBe('https://origin.test/target')
})

test('a redirect to another origin stores nothing at all: neither URL’s owner has said so', async () => {
  const { cache, origin } = harness()
  origin.serves('/start', { redirect: 'https://other.test/target' })
  origin.serves('https://other.test/target', PAGE)
  expect(await (await cache.fetch('/start')).text()).toBe('target')
  await cache.settled()
  expect((await cache.explain('/start')).candidates).toEqual([])
  expect((await cache.explain('https://other.test/target')).candidates).toEqual([])
})

test('a redirect that depends on the user is asked for each time (RFC 9111 §7.3)', async () => {
  const { cache, origin } = harness()
  let user = 1
  origin.serves('/me', () => ({ redirect: `/users/${user++}` }))
  origin.serves('/users/1', { ...PAGE, body: 'first' })
  origin.serves('/users/2', { ...PAGE, body: 'second' })
  expect(await (await cache.fetch('/me')).text()).toBe('first')
  expect(await (await cache.fetch('/me')).text()).toBe('second')
})

test('callers of the same moment share the redirected flight only where each may have it', async () => {
  const { cache, origin } = harness()
  origin.serves('/start', { redirect: '/target' })
  origin.serves('/target', PAGE)
  const answers = await Promise.all([1, 2, 3].map(() => cache.fetch('/start')))
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['target', 'target', 'target'])
  expect(answers.every(({ redirected }) => redirected)).toBe(true)
})

test('redirect: "manual" gives what fetch gives, and stores nothing (Fetch, opaque-redirect filtered response)', async () => {
  const { cache, origin } = harness()
  origin.serves('/start', { redirect: '/target', cacheControl: 'max-age=60' })
  const response = await cache.fetch('/start', { redirect: 'manual' })
  expect(response).toMatchObject({ type: 'opaqueredirect', status: 0, url: 'https://origin.test/start' })
  await cache.settled()
  expect((await cache.explain('/start')).candidates).toEqual([])
})

test('redirect: "error" fails as fetch fails', async () => {
  const { cache, origin } = harness()
  origin.serves('/start', { redirect: '/target' })
  await expect(cache.fetch('/start', { redirect: 'error' })).rejects.toThrow(TypeError)
})

test('a fresh stored response answers, whatever the caller says of redirects: there is none', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', PAGE)
  await (await cache.fetch('/a')).text()
  for (const redirect of ['manual', 'error', 'follow'] as const)
    expect(causeOf(await cache.fetch('/a', { redirect }))).toBe('fresh')
})

test('a redirect loop ends in fetch’s TypeError, and nothing is stored (Fetch, HTTP-redirect fetch; F-34)', async () => {
  const { cache, origin } = harness()
  origin.serves('/loop', { redirect: '/loop', cacheControl: 'max-age=60' })
  await expect(cache.fetch('/loop')).rejects.toThrow(TypeError)
  expect(origin.requests).toHaveLength(21)
  expect((await cache.explain('/loop')).candidates).toEqual([])
})

test('a validation that is redirected replaces nothing under the URL that was asked for (RFC 9111 §4.3.3; VA-9)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', PAGE)
  await (await cache.fetch('/a')).text()
  await clock.advance(60_000)
  origin.serves('/a', { redirect: '/b' })
  origin.serves('/b', { ...PAGE, etag: '"b"', body: 'b' })
  const response = await cache.fetch('/a')
  expect(response.redirected).toBe(true)
  expect(await response.text()).toBe('b')
  expect(await (await cache.fetch('/a')).text()).toBe('b')
  expect(origin.requests.filter(({ path }) => path === '/a')).toHaveLength(3)
})

test('an unsafe method that is redirected invalidates the URL that it was sent to (RFC 9111 §4.4)', async () => {
  const { cache, origin } = pageHarness()
  origin.serves('GET /form', PAGE)
  await (await cache.fetch('/form')).text()
  origin.serves('POST /form', { status: 303, redirect: '/thanks' })
  origin.serves('/thanks', { body: 'thanks' })
  expect(await (await cache.fetch('/form', { method: 'POST' })).text()).toBe('thanks')
  expect((await cache.explain('/form')).cause).toBe('invalidated')
})

describe('an unsafe method that is redirected: the hop was no failure, and who answers in the end speaks for its own URL at most (RFC 9111 §4.4)', () => {
  const kept = async (...urls: string[]) => {
    const world = harness()
    for (const url of urls) {
      world.origin.serves(`GET ${url}`, { ...PAGE, headers: { 'cache-groups': '"g"' } })
      await (await world.cache.fetch(url)).text()
    }
    return world
  }
  const causes = async ({ cache }: ReturnType<typeof harness>, ...urls: string[]) =>
    Promise.all(urls.map(async (url) => (await cache.explain(url)).cause))

  test.each([404, 500, 503])(
    'the page that follows fails with %i: the method has succeeded all the same',
    async (status) => {
      const world = await kept('/form', '/b')
      world.origin.serves('POST /form', { status: 303, redirect: '/thanks' })
      world.origin.serves('GET /thanks', { status })
      await world.cache.fetch('/form', { method: 'POST' })
      expect(await causes(world, '/form', '/b')).toEqual(['invalidated', 'fresh'])
    },
  )

  test.each([303, 307, 308])(
    '%i: the URL that it has led to, too, as the method may have been sent to it',
    async (status) => {
      const world = await kept('/form', '/list', '/b')
      world.origin.serves('POST /form', { status, redirect: '/list' })
      world.origin.serves('POST /list', { body: 'done' })
      await world.cache.fetch('/form', { method: 'POST' })
      expect(await causes(world, '/form', '/list', '/b')).toEqual(['invalidated', 'invalidated', 'fresh'])
    },
  )

  test.each([303, 307])(
    '%i to another origin: nothing of what that one names is ours, and nothing of its own is named by us',
    async (status) => {
      const theirs = 'https://other.test/target'
      const world = await kept('/form', '/b', '/c', theirs)
      world.origin.serves('POST /form', { status, redirect: theirs })
      const headers = { 'content-location': '/b', location: 'https://origin.test/c', 'cache-group-invalidation': '"g"' }
      world.origin.serves(`POST ${theirs}`, { headers })
      world.origin.serves(`GET ${theirs}`, { headers })
      await world.cache.fetch('/form', { method: 'POST' })
      expect(await causes(world, '/form', '/b', '/c', theirs)).toEqual(['invalidated', 'fresh', 'fresh', 'fresh'])
    },
  )

  test('Cache-Group-Invalidation of a page that was got after a POST is that of a safe method (RFC 9875 §3)', async () => {
    const world = await kept('/form', '/b')
    world.origin.serves('POST /form', { status: 303, redirect: '/thanks' })
    world.origin.serves('GET /thanks', { headers: { 'cache-group-invalidation': '"g"' } })
    await world.cache.fetch('/form', { method: 'POST' })
    expect(await causes(world, '/form', '/b')).toEqual(['invalidated', 'fresh'])
  })
})
