import { afterEach, describe, expect, test } from 'vitest'
import { marked } from '../../src/engine/worker-mark.ts'
import { harness } from './harness.ts'

/** Plays the browser around this file: with a worker in control, without one, or refusing to say. */
function around(navigator: object): void {
  Object.defineProperty(globalThis, 'navigator', { configurable: true, get: () => navigator })
}
const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
afterEach(() => {
  if (before) Object.defineProperty(globalThis, 'navigator', before)
  else Reflect.deleteProperty(globalThis, 'navigator')
})

/** What the transport was given. */
async function sent(input: RequestInfo | URL, init?: RequestInit): Promise<string> {
  const urls: string[] = []
  const { cache, origin } = harness({
    fetch: async (given) => {
      urls.push(given instanceof Request ? given.url : String(given))
      return new Response('x', { headers: { 'cache-control': 'max-age=60' } })
    },
  })
  await cache.fetch(new URL(String(input instanceof Request ? input.url : input), origin.url), init)
  return urls[0]?.replace(origin.url, '') ?? ''
}

describe('what the cache of a page sends', () => {
  const controlled = { serviceWorker: { controller: {} } }

  test.each([
    ['carries the mark while a worker is in control', controlled, '/a#nearcache'],
    ['has none without a worker in control', { serviceWorker: { controller: null } }, '/a'],
    ['has none where there are no workers', {}, '/a'],
    [
      'has none in a sandboxed frame, which refuses to say',
      {
        get serviceWorker() {
          throw new DOMException('The frame is sandboxed', 'SecurityError')
        },
      },
      '/a',
    ],
  ])('%s', async (_sentence, navigator, expected) => {
    around(navigator)
    expect(await sent('/a')).toBe(expected)
  })

  test('carries the mark where it goes past the cache, too; other methods need none', async () => {
    around(controlled)
    expect(await sent('/a', { cache: 'no-store' })).toBe('/a#nearcache')
    expect(await sent('/a', { method: 'POST' })).toBe('/a')
  })

  test('is a request with all that the caller has given, and another fragment', () => {
    const given = new Request('https://origin.test/a?b#c', { headers: { accept: 'text/html' }, cache: 'no-cache' })
    const request = marked(given, undefined) as Request
    expect(request.url).toBe('https://origin.test/a?b#nearcache')
    expect(request.headers.get('accept')).toBe('text/html')
    expect(request.cache).toBe('no-cache')
  })
})
