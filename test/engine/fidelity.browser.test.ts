import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { ownPage } from '../support/own-page.ts'

const origin = inject('origin')
/** Every test asks for URLs of its own: the browsers' caches and the origin remember. */
const fresh = () => crypto.randomUUID()

interface Received {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
}
const receivedFor = async (url: string): Promise<Received[]> =>
  (await fetch(`${origin}/received?url=${encodeURIComponent(url)}`, { cache: 'no-store' })).json()

describe('in its own page', () => {
  test('a validation sends our validator with max-age=0, and the engine hands us the 304 (RFC 9111 §4.3.1; Fetch, HTTP-network-or-cache fetch)', async () => {
    const { ask, causeOf } = await ownPage()
    const url = `/stale?${fresh()}`
    expect((await ask({ name: url, store: 'memory', url })).body).toBe('validated')
    const second = await ask({ name: url, store: 'memory', url })
    expect([second.status, second.body, causeOf(second)]).toEqual([200, 'validated', 'validated'])
    const received = await receivedFor(url)
    expect(received.map(({ method }) => method)).toEqual(['GET', 'GET'])
    expect(received[1]?.headers).toMatchObject({ 'if-none-match': '"v1"', 'cache-control': 'max-age=0' })
  })

  test('a second cache on the same database answers from it, as after a reload', async () => {
    const { ask, causeOf } = await ownPage()
    const name = fresh()
    const url = `/fresh?${name}`
    await ask({ name, store: 'indexeddb', url })
    await ask({ name, store: 'indexeddb', url, close: true })
    const again = await ask({ name, store: 'indexeddb', url })
    expect([again.body, causeOf(again)]).toEqual(['validated', 'fresh'])
    expect(await receivedFor(url)).toHaveLength(1)
  })

  test('a redirected response is stored under its own URL only (Fetch, HTTP-redirect fetch)', async () => {
    const { ask, causeOf } = await ownPage()
    const id = fresh()
    const first = await ask({ name: id, store: 'memory', url: `/moved?${id}` })
    expect([first.redirected, first.url, first.type]).toEqual([true, `${origin}/fresh?${id}`, 'basic'])
    await ask({ name: id, store: 'memory', url: `/moved?${id}` })
    expect(await receivedFor(`/moved?${id}`)).toHaveLength(2)
    const target = await ask({ name: id, store: 'memory', url: `/fresh?${id}` })
    expect([target.redirected, causeOf(target)]).toEqual([false, 'fresh'])
  })
})

describe('across origins', () => {
  test('nothing that we do causes a preflight (Fetch, CORS-preflight fetch)', async () => {
    const cache = createCache({ name: fresh(), store: 'memory' })
    onTestFinished(() => cache.close())
    const urls = [`/stale?${fresh()}`, `/exposed?${fresh()}`, `/fresh?${fresh()}`]
    for (const url of urls) {
      for (const mode of ['default', 'default', 'no-cache', 'reload'] as const)
        expect(await (await cache.fetch(origin + url, { cache: mode })).text()).toBe('validated')
      await cache.purge({ url: origin + url }, { mode: 'hard' })
      expect(await (await cache.fetch(origin + url)).text()).toBe('validated')
    }
    await cache.settled()
    for (const url of urls)
      expect(new Set((await receivedFor(url)).map(({ method }) => method))).toEqual(new Set(['GET']))
  })

  test('the browser validates for us, and what it confirms is told (Fetch, HTTP-network-or-cache fetch)', async () => {
    const cache = createCache({ name: fresh(), store: 'memory' })
    onTestFinished(() => cache.close())
    const url = `/exposed?${fresh()}`
    await (await cache.fetch(origin + url)).text()
    const second = await cache.fetch(origin + url)
    expect(await second.text()).toBe('validated')
    expect(second.headers.get('cache-status')).toContain('detail=browser-validated')
    expect((await receivedFor(url))[1]?.headers['if-none-match']).toBe('"v1"')
  })
})

/** What a page sees of a response. */
async function seen(response: Response) {
  const { status, statusText, ok, url, type, redirected, bodyUsed } = response
  const names = [...response.headers.keys()].filter((name) => !['cache-status', 'age', 'date'].includes(name))
  const body = await response.text()
  // The network's 204 has an empty body in some engines, against the standard; no script can make one.
  const after = status === 204 ? [] : [response.bodyUsed, response.body?.locked]
  return { status, statusText, ok, url, type, redirected, bodyUsed, names, body, after }
}

describe('a stored response and fetch’s own are the same to a page (Fetch, Response class)', () => {
  test.each(['/fresh', '/moved', '/empty'])('%s', async (path) => {
    const cache = createCache({ name: fresh(), store: 'memory' })
    onTestFinished(() => cache.close())
    const url = `${origin}${path}?${fresh()}`
    const bare = await seen(await fetch(url))
    for (let read = 0; read < 2; read++) {
      const response = await cache.fetch(url)
      const clone = response.clone()
      expect(response).toBeInstanceOf(Response)
      expect(await seen(response)).toEqual(bare)
      expect(await seen(clone)).toEqual(bare)
    }
  })

  test('an abort between head and body ends it, though all of it is at hand (Fetch, abort a fetch() call)', async () => {
    const cache = createCache({ name: fresh(), store: 'memory' })
    onTestFinished(() => cache.close())
    const url = `${origin}/fresh?${fresh()}`
    const ends = async (get: typeof globalThis.fetch) => {
      const found: unknown[] = []
      for (const read of [
        (response: Response) => response.text(),
        (response: Response) => response.blob(),
        (response: Response) => response.body?.getReader().read(),
        (_: Response, clone: Response) => clone.text(),
      ]) {
        const controller = new AbortController()
        const response = await get(url, { signal: controller.signal })
        const clone = response.clone()
        controller.abort()
        found.push(await Promise.resolve(read(response, clone)).then(String, (error: Error) => error.name))
      }
      return found
    }
    await (await cache.fetch(url)).text()
    expect(await ends(cache.fetch as typeof globalThis.fetch)).toEqual(Array(4).fill('AbortError'))
  })

  test('an abort in the middle of a body under way is told with its reason, by whichever method (Fetch, abort a fetch() call)', async () => {
    const cache = createCache({ name: fresh(), store: 'memory' })
    onTestFinished(() => cache.close())
    for (const read of ['text', 'json', 'arrayBuffer', 'blob'] as const) {
      const controller = new AbortController()
      // A stream without an end.
      const response = await cache.fetch(`${origin}/events?${fresh()}`, { signal: controller.signal })
      const reading = response[read]()
      const reason = new RangeError('mine')
      controller.abort(reason)
      await expect(reading).rejects.toBe(reason)
    }
  })

  test('the one difference: fields of fetch’s own responses cannot be changed, those of ours belong to their caller alone', async () => {
    const cache = createCache({ name: fresh(), store: 'memory' })
    onTestFinished(() => cache.close())
    const url = `${origin}/fresh?${fresh()}`
    const bare = await fetch(url)
    expect(() => bare.headers.set('x-mine', '1')).toThrow(TypeError)
    ;(await cache.fetch(url)).headers.set('x-mine', '1')
    expect((await cache.fetch(url)).headers.get('x-mine')).toBeNull()
  })
})
