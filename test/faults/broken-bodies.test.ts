import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { seededRandom, virtualClock } from '../../src/testing/index.ts'
import { type RawExchange, type RawOrigin, rawChunk, rawHead, rawOrigin } from '../support/raw-origin.ts'

// These tests run on Node's own fetch and a bare socket: how a body breaks, and what of it script can see, is the runtime's business, not ours.

let origin: RawOrigin
beforeEach(async () => {
  origin = await rawOrigin()
})
afterEach(() => origin.close())

type Play = (exchange: RawExchange) => void | Promise<void>

const GOOD = { good: true, rest: 'x'.repeat(20_000) }
const good = JSON.stringify(GOOD)
const lifetime = { 'cache-control': 'max-age=60, stale-if-error=600' }
const json = { ...lifetime, 'content-type': 'application/json' }

/** Sends these parts, and ends in an orderly way. */
const orderly =
  (...parts: ReadonlyArray<string | Uint8Array>): Play =>
  async ({ send, end }) => {
    await send(...parts)
    end()
  }

/** Sends these parts, and breaks the connection when the reader has had them. */
const breaking =
  (...parts: ReadonlyArray<string | Uint8Array>): Play =>
  async ({ send, reset }) => {
    await send(...parts)
    await readerHas.promise
    reset()
  }

/** Passed by the test when the response is at hand: a reset throws away what is still under way. */
let readerHas = barrier()
function barrier() {
  let pass = () => {}
  const promise = new Promise<void>((resolve) => {
    pass = resolve
  })
  return { promise, pass }
}
beforeEach(() => {
  readerHas = barrier()
})

function world() {
  const clock = virtualClock()
  const cache = createCache({ store: 'memory', clock, random: seededRandom(1), base: origin.url, earlyExpiry: false })
  return { clock, cache }
}

/** How reading a response ends, and how far it got. */
async function reading(fetching: Promise<Response>): Promise<{ text: string; end: string }> {
  let text = ''
  try {
    const response = await fetching
    readerHas.pass()
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
      text += decoder.decode(part.value, { stream: true })
    return { text, end: 'normal' }
  } catch (error) {
    return { text, end: (error as Error).name }
  }
}

/** A cache that holds `/a`, stale for half a minute, and what its origin does now. */
async function staleThen(play: Play, fields: Readonly<Record<string, string>> = json) {
  const made = world()
  origin.plays('/a', orderly(rawHead(200, { ...fields, 'content-length': String(good.length) }), good))
  await (await made.cache.fetch('/a')).text()
  await made.clock.advance(90_000)
  origin.plays('/a', play)
  return made
}

/** What is served while the origin is dead: what is stored. */
async function stored({ cache }: ReturnType<typeof world>): Promise<string> {
  origin.plays('/a', ({ reset }) => reset())
  return (await reading(cache.fetch('/a'))).text
}

const half = good.slice(0, 10_000)
const wholeLength = { ...json, 'content-length': String(good.length) }
const chunked = { ...json, 'transfer-encoding': 'chunked' }

describe('F-26: a truncated body fails its reader, and the good copy stays (RFC 9111 §3.3, RFC 9112 §8)', () => {
  test.each<[string, Play]>([
    ['short of its Content-Length', orderly(rawHead(200, wholeLength), half)],
    ['reset in the middle', breaking(rawHead(200, wholeLength), half)],
    ['reset before its first byte', breaking(rawHead(200, wholeLength))],
  ])('%s', async (_sentence, play) => {
    const made = await staleThen(play)
    const bare = await reading(fetch(`${origin.url}/a`))
    expect(bare.end).toBe('TypeError')
    readerHas = barrier()
    const ours = await reading(made.cache.fetch('/a'))
    expect(ours.end).toBe('TypeError')
    expect(half.startsWith(ours.text)).toBe(true)
    await made.cache.settled()
    expect(await stored(made)).toBe(good)
  })

  // Some runtimes report a normal end for these: Node 20 does. Then only the content can tell.
  test.each<[string, Play]>([
    ['a chunk cut short', orderly(rawHead(200, chunked), rawChunk(half), '1000\r\nand no more')],
    ['no final chunk', orderly(rawHead(200, chunked), rawChunk(half))],
    ['chunks, then a reset', breaking(rawHead(200, chunked), rawChunk(half))],
  ])('%s: it ends as the runtime has it end, and what is no JSON is not stored', async (_sentence, play) => {
    const made = await staleThen(play)
    const bare = await reading(fetch(`${origin.url}/a`))
    readerHas = barrier()
    const ours = await reading(made.cache.fetch('/a'))
    expect(ours.end).toBe(bare.end)
    // A reset throws away what the reader had not yet taken: how much that is, nobody can say.
    expect([bare.text, ours.text].filter((text) => text === good)).toEqual([])
    await made.cache.settled()
    expect(await stored(made)).toBe(good)
  })

  test('nothing was stored before: nothing is stored', async () => {
    const { cache } = world()
    origin.plays('/a', orderly(rawHead(200, wholeLength), half))
    expect((await reading(cache.fetch('/a'))).end).toBe('TypeError')
    await cache.settled()
    expect(cache.peek('/a')).toBeUndefined()
    origin.plays('/a', orderly(rawHead(200, wholeLength), good))
    expect(await cache.json('/a')).toEqual(GOOD)
    expect(origin.requests).toHaveLength(2)
  })

  test('json() rejects as well, when nothing may be served instead', async () => {
    const made = await staleThen(orderly(rawHead(200, wholeLength), half), {
      'cache-control': 'max-age=60',
      'content-type': 'application/json',
    })
    await expect(made.cache.json('/a')).rejects.toThrow(TypeError)
    await made.cache.settled()
    expect(await (await made.cache.fetch('/a', { cache: 'force-cache' })).text()).toBe(good)
  })
})

const zipped = gzipSync(Buffer.from(good), { level: 0 })
const halfZipped = zipped.subarray(0, zipped.byteLength / 2)
const coded = (type: string) => ({ ...lifetime, 'content-type': type, 'content-encoding': 'gzip' })

describe('F-27: a coded body cut short inside good framing', () => {
  const framed: ReadonlyArray<readonly [string, (type: string) => Play]> = [
    [
      'in chunks',
      (type) =>
        orderly(rawHead(200, { ...coded(type), 'transfer-encoding': 'chunked' }), rawChunk(halfZipped), '0\r\n\r\n'),
    ],
    [
      'of the right Content-Length',
      (type) => orderly(rawHead(200, { ...coded(type), 'content-length': String(halfZipped.byteLength) }), halfZipped),
    ],
    ['ended by the connection', (type) => orderly(rawHead(200, coded(type)), halfZipped)],
  ]

  test.each(framed)(
    '%s: the reader sees what the runtime shows, and JSON is not stored (RFC 9111 §3.3)',
    async (_, play) => {
      const made = await staleThen(play('application/json'))
      const bare = await reading(fetch(`${origin.url}/a`))
      expect(bare.text.length).toBeLessThan(good.length)
      expect(await reading(made.cache.fetch('/a'))).toEqual(bare)
      await made.cache.settled()
      expect(await stored(made)).toBe(good)
    },
  )

  test.each(framed)('%s: json() gives the last good one, as for any other error (RFC 5861 §4)', async (_, play) => {
    const made = await staleThen(play('application/json'))
    expect(await made.cache.json('/a')).toEqual(GOOD)
  })

  test('whole, it is stored as the bytes that script sees (Fetch, HTTP-network fetch, handle content codings)', async () => {
    const { cache } = world()
    const zip = gzipSync(good)
    origin.plays('/a', orderly(rawHead(200, { ...coded('text/plain'), 'content-length': String(zip.byteLength) }), zip))
    await (await cache.fetch('/a')).text()
    await cache.settled()
    const hit = await cache.fetch('/a')
    expect(hit.headers.get('cache-status')).toContain('hit')
    expect(await hit.text()).toBe(good)
    expect(origin.requests).toHaveLength(1)
  })
})

describe('F-28: a wrong Content-Length', () => {
  test('too long for what comes: no store (RFC 9112 §8)', async () => {
    const { cache } = world()
    origin.plays('/a', orderly(rawHead(200, { ...lifetime, 'content-length': '99' }), 'short'))
    expect(await reading(cache.fetch('/a'))).toMatchObject({ end: 'TypeError' })
    await cache.settled()
    expect((await cache.explain('/a')).candidates).toEqual([])
  })

  test('too short for what comes: the reader gets what bare fetch gets, and what is stored is that, whole', async () => {
    const { cache } = world()
    origin.plays('/a', orderly(rawHead(200, { ...lifetime, 'content-length': '5' }), 'five and more'))
    const bare = await reading(fetch(`${origin.url}/a`))
    const ours = await reading(cache.fetch('/a'))
    expect(ours).toEqual(bare)
    await cache.settled()
    const { candidates } = await cache.explain('/a')
    expect(candidates.map(({ bytes }) => bytes)).toEqual(bare.end === 'normal' ? [bare.text.length] : [])
  })

  test('of the coded form: no false alarm, it is stored', async () => {
    const { cache } = world()
    const zip = gzipSync(good)
    origin.plays('/a', orderly(rawHead(200, { ...coded('text/plain'), 'content-length': String(zip.byteLength) }), zip))
    expect((await reading(cache.fetch('/a'))).text).toBe(good)
    await cache.settled()
    expect((await cache.explain('/a')).candidates).toMatchObject([{ bytes: good.length }])
  })
})

describe('F-46: a body that breaks off after its head was delivered', () => {
  test('every reader of the flight fails, and the good copy stays (RFC 9111 §3.3)', async () => {
    const made = await staleThen(breaking(rawHead(200, wholeLength), half))
    // The break comes when all have their head.
    const heads = await Promise.all(Array.from({ length: 20 }, () => made.cache.fetch('/a')))
    const ends = await Promise.all(heads.map((response) => reading(Promise.resolve(response))))
    expect(ends.map(({ end }) => end)).toEqual(Array(20).fill('TypeError'))
    expect(origin.requests).toHaveLength(2)
    await made.cache.settled()
    expect(await stored(made)).toBe(good)
  })
})

describe('F-25: an origin that is slow beyond reason', () => {
  const drip: Play = async ({ send, closed }) => {
    await send(rawHead(200, wholeLength), 'x')
    await closed
  }
  const silent: Play = ({ closed }) => closed

  test('no head within the hard deadline: a TimeoutError, and the connection is given up', async () => {
    const made = world()
    origin.plays('/a', silent)
    const outcome = reading(made.cache.fetch('/a', { nearcache: { hardMs: 30_000 } }))
    const { closed } = await origin.request(1)
    await made.clock.advance(30_000)
    expect((await outcome).end).toBe('TimeoutError')
    await closed
    await made.cache.settled()
    expect(made.clock.sleeping).toBe(0)
  })

  test('with a stale response at hand it is served at the soft deadline (RFC 5861 §4), and the request goes on behind', async () => {
    const made = await staleThen(silent)
    const outcome = reading(made.cache.fetch('/a'))
    const late = await origin.request(2)
    await made.clock.advance(2_000)
    expect((await outcome).text).toBe(good)
    await late.send(rawHead(200, { ...lifetime, 'content-length': '3' }), 'new')
    late.end()
    await made.cache.settled()
    expect(await (await made.cache.fetch('/a')).text()).toBe('new')
    expect(origin.requests).toHaveLength(2)
  })

  test('a body that drips is its reader’s to give up: then the connection is, and nothing is stored', async () => {
    const made = world()
    origin.plays('/a', drip)
    const controller = new AbortController()
    const response = await made.cache.fetch('/a', { signal: controller.signal })
    const reader = response.body?.getReader()
    expect((await reader?.read())?.value).toHaveLength(1)
    controller.abort('too slow')
    await expect(reader?.read()).rejects.toBe('too slow')
    await origin.requests[0]?.closed
    await made.cache.settled()
    expect((await made.cache.explain('/a')).candidates).toEqual([])
  })

  test('stale-while-revalidate: callers never notice (RFC 5861 §3)', async () => {
    const made = await staleThen(silent, { 'cache-control': 'max-age=60, stale-while-revalidate=600' })
    const bodies = await Promise.all(Array.from({ length: 10 }, () => reading(made.cache.fetch('/a'))))
    expect(bodies).toEqual(Array(10).fill({ text: good, end: 'normal' }))
    const { closed } = await origin.request(2)
    await made.clock.advance(60_000)
    await closed
    await made.cache.settled()
    expect(origin.requests).toHaveLength(2)
  })
})

describe('F-34: redirects that lead nowhere (Fetch, HTTP-redirect fetch)', () => {
  test.each([
    ['a loop', '/a', 21],
    ['another scheme', 'data:text/plain,x', 1],
    ['no URL', 'http://', 1],
    ['a port where nobody listens', 'http://127.0.0.1:1/', 1],
  ])('%s: the error that bare fetch gives, and nothing stored', async (_sentence, location, hops) => {
    const { cache } = world()
    origin.plays('/a', orderly(rawHead(302, { ...lifetime, location, 'content-length': '0' })))
    const bare = await fetch(`${origin.url}/a`).catch((error: Error) => error.name)
    expect(bare).toBe('TypeError')
    const asked = origin.requests.length
    expect(asked).toBe(hops)
    await expect(cache.fetch('/a')).rejects.toThrow(TypeError)
    expect(origin.requests.length - asked).toBe(hops)
    expect((await cache.explain('/a')).candidates).toEqual([])
  })

  test('twenty hops are followed, and the response is stored under neither of the URLs between', async () => {
    const { cache } = world()
    for (let hop = 0; hop < 20; hop++)
      origin.plays(
        `/hop${hop}`,
        orderly(rawHead(302, { ...lifetime, location: `/hop${hop + 1}`, 'content-length': '0' })),
      )
    origin.plays('/hop20', orderly(rawHead(200, { ...lifetime, 'content-length': '4' }), 'here'))
    const response = await cache.fetch('/hop0')
    expect(response).toMatchObject({ redirected: true, url: `${origin.url}/hop20` })
    expect(await response.text()).toBe('here')
    await cache.settled()
    for (let hop = 0; hop < 20; hop++) expect((await cache.explain(`/hop${hop}`)).candidates).toEqual([])
    expect((await cache.explain('/hop20')).candidates).toHaveLength(1)
  })
})

describe('F-39: no connection at all', () => {
  test.each([
    ['nobody listens', () => 'http://127.0.0.1:1/'],
    ['no such host', () => 'http://nowhere.invalid/'],
    ['TLS that is none', () => origin.url.replace('http:', 'https:')],
  ])('%s: fetch’s TypeError, one request, and nothing remembered against the next', async (_sentence, url) => {
    const { cache } = world()
    const bare = await fetch(url()).catch((error: Error) => error)
    expect(bare).toBeInstanceOf(TypeError)
    await expect(cache.fetch(url())).rejects.toThrow((bare as Error).message)
    await expect(cache.fetch(url())).rejects.toThrow((bare as Error).message)
    expect(cache.stats()).toMatchObject({ requests: 2, rejected: 2 })
  })

  test('a good copy within its window is served instead, whatever the reason (RFC 5861 §4)', async () => {
    const made = await staleThen(({ reset }) => reset())
    expect((await reading(made.cache.fetch('/a'))).text).toBe(good)
  })
})
