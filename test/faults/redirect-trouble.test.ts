import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import type { NearCache } from '../../src/index.ts'
import { seededRandom, type VirtualClock, virtualClock } from '../../src/testing/index.ts'
import { type RawExchange, type RawOrigin, rawHead, rawOrigin } from '../support/raw-origin.ts'

// Node's own fetch, and two origins on this machine: who follows a redirect is the runtime, not us.

let origin: RawOrigin
let other: RawOrigin
let clock: VirtualClock
let cache: NearCache
beforeEach(async () => {
  ;[origin, other] = await Promise.all([rawOrigin(), rawOrigin()])
  clock = virtualClock(Date.now())
  cache = createCache({ store: 'memory', base: origin.url, clock, random: seededRandom(1) })
})
afterEach(async () => {
  await Promise.all([origin.close(), other.close(), cache.close()])
})

const FRESH = { 'cache-control': 'max-age=60', etag: '"v1"' }
const sends = async ({ send, end }: RawExchange, ...parts: string[]) => {
  await send(...parts)
  end()
}
const redirects = (exchange: RawExchange, location: string) =>
  sends(exchange, rawHead(302, { ...FRESH, location, 'content-length': '0' }))
const answers = (exchange: RawExchange, body: string) =>
  sends(exchange, rawHead(200, { ...FRESH, 'content-length': String(body.length) }), body)
const outcome = (asked: Promise<Response>) =>
  asked.then(async (response) => `${response.status} ${await response.text()}`).catch((error: Error) => error.name)

test('F-34: across origins a redirect is followed as by bare fetch, without Authorization, and nothing is stored (Fetch, HTTP-redirect fetch)', async () => {
  origin.plays('/a', (exchange) => redirects(exchange, `${other.url}/b`))
  other.plays('/b', (exchange) => answers(exchange, 'theirs'))
  const response = await cache.fetch('/a', { headers: [['authorization', 'secret']] })
  expect([response.url, response.redirected]).toEqual([`${other.url}/b`, true])
  expect(await response.text()).toBe('theirs')
  expect(other.requests[0]?.headers.authorization).toBeUndefined()
  await cache.settled()
  for (const url of ['/a', `${other.url}/b`]) expect((await cache.explain(url)).candidates).toEqual([])
})

test.each([
  ['with credentials', (host: string) => `http://user:secret@${host}/b`],
  ['to ftp:', (host: string) => `ftp://${host}/b`],
  ['that cannot be read', () => 'http://[half'],
])(
  'F-34: a redirect to a URL %s ends as with bare fetch, and nothing is stored (Fetch, HTTP-redirect fetch)',
  async (_, target) => {
    origin.plays('/a', (exchange) => redirects(exchange, target(new URL(origin.url).host)))
    origin.plays('/b', (exchange) => answers(exchange, 'there'))
    expect(await outcome(cache.fetch('/a'))).toBe(await outcome(fetch(`${origin.url}/a`)))
    await cache.settled()
    expect((await cache.explain('/a')).candidates).toEqual([])
  },
)

test('F-29: validators that a redirect has carried to another origin confirm nothing (RFC 9111 §4.3.4; Fetch, HTTP-redirect fetch)', async () => {
  origin.plays('/a', (exchange) => answers(exchange, 'good'))
  expect(await outcome(cache.fetch('/a'))).toBe('200 good')
  await clock.advance(60_000)
  origin.plays('/a', (exchange) =>
    exchange.headers['if-none-match'] ? redirects(exchange, `${other.url}/b`) : answers(exchange, 'asked anew'),
  )
  other.plays('/b', (exchange) => sends(exchange, rawHead(304, FRESH)))
  expect(await outcome(cache.fetch('/a'))).toBe('200 asked anew')
  expect(other.requests[0]?.headers['if-none-match']).toBe('"v1"')
})
