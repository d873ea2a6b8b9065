import { describe, expect, test } from 'vitest'
import { type ScriptedOriginOptions, scriptedOrigin } from '../../src/testing/scripted-origin.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

const START = Date.UTC(2026, 0, 1)

function world(options: Omit<ScriptedOriginOptions, 'clock'> = {}) {
  const clock = virtualClock(START)
  return { clock, origin: scriptedOrigin({ clock, ...options }) }
}

/** What became of a promise, without waiting for it. */
function watch<T>(work: Promise<T>): { state: 'pending' | 'fulfilled' | 'rejected'; result?: unknown } {
  const seen: ReturnType<typeof watch> = { state: 'pending' }
  work.then(
    (result) => Object.assign(seen, { state: 'fulfilled', result }),
    (result) => Object.assign(seen, { state: 'rejected', result }),
  )
  return seen
}

describe('what it serves', () => {
  test('answers with the fields of the script, a Date from the clock, and a Content-Length', async () => {
    const { origin, clock } = world()
    origin.serves('/users', {
      cacheControl: 'max-age=60',
      etag: '"v1"',
      lastModified: START,
      vary: 'Accept',
      tags: ['a', 'b'],
      headers: { 'x-more': '1' },
      json: [1],
    })
    await clock.advance(5_000)
    const response = await origin.fetch('/users')
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'max-age=60',
      'cache-tag': 'a, b',
      'content-length': '3',
      'content-type': 'application/json',
      date: 'Thu, 01 Jan 2026 00:00:05 GMT',
      etag: '"v1"',
      'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
      vary: 'Accept',
      'x-more': '1',
    })
    expect(await response.json()).toEqual([1])
  })

  test('looks like a response of fetch: URL without fragment, type, and fields that cannot be changed, in clones too', async () => {
    const { origin } = world()
    origin.serves('/page', { body: 'text' })
    const response = await origin.fetch(new URL('/page#part', origin.url))
    for (const one of [response.clone(), response]) {
      expect(one).toMatchObject({ url: `${origin.url}/page`, type: 'basic', redirected: false, status: 200, ok: true })
      expect(() => one.headers.set('a', 'b')).toThrow(TypeError)
      expect(await one.text()).toBe('text')
    }
  })

  test('the Date can be left out or wrong', async () => {
    const { origin } = world()
    origin.serves('/none', { date: false })
    origin.serves('/garbage', { date: 'yesterday' })
    origin.serves('/future', { date: START + 86_400_000 })
    const dateOf = async (path: string) => (await origin.fetch(path)).headers.get('date')
    expect(await dateOf('/none')).toBeNull()
    expect(await dateOf('/garbage')).toBe('yesterday')
    expect(await dateOf('/future')).toBe('Fri, 02 Jan 2026 00:00:00 GMT')
  })

  test('an exact path goes before a pattern, a later script replaces an earlier, and the rest is 404', async () => {
    const { origin } = world()
    const body = async (path: string, init?: RequestInit) => (await origin.fetch(path, init)).text()
    origin.serves('/a/*', { body: 'any' })
    origin.serves('/a/1', { body: 'one' })
    origin.serves('POST /a/1', { body: 'posted' })
    origin.serves('/a/*/deep', { body: 'deep' })
    origin.serves('https://other.test/a/1', { body: 'elsewhere' })
    expect(await body('/a/1')).toBe('one')
    expect(await body('/a/1?query')).toBe('any')
    expect(await body('/a/2/deep')).toBe('deep')
    expect(await body('/a/1', { method: 'POST', body: 'x' })).toBe('posted')
    expect(await body('https://other.test/a/1')).toBe('elsewhere')
    origin.serves('/a/1', { body: 'two' })
    expect(await body('/a/1')).toBe('two')
    expect((await origin.fetch('/b')).status).toBe(404)
  })

  test('a script that is a function sees each request, and a stamp says which exchange a body came from', async () => {
    const { origin, clock } = world()
    origin.serves('/node', ({ seq, headers }) => ({
      etag: seq % 2 ? '"A"' : '"B"',
      json: { language: headers['accept-language'] },
      stamp: true,
    }))
    const first = await origin.fetch('/node', { headers: { 'Accept-Language': 'de' } })
    await clock.advance(1_000)
    const second = await origin.fetch('/node')
    expect([first.headers.get('etag'), second.headers.get('etag')]).toEqual(['"A"', '"B"'])
    expect(await first.json()).toEqual({ language: 'de', url: `${origin.url}/node`, seq: 1, at: START })
    expect(await second.json()).toEqual({ url: `${origin.url}/node`, seq: 2, at: START + 1_000 })
  })

  test('statuses that no script could make arrive as fetch gives them, without content where there is none', async () => {
    const { origin } = world()
    for (const status of [199, 204, 205, 304, 418, 599, 600]) {
      origin.serves('/status', { status, body: 'x' })
      const response = await origin.fetch('/status')
      expect(response.status).toBe(status)
      expect(response.ok).toBe(status === 204 || status === 205)
      expect(await response.text()).toBe([204, 205, 304].includes(status) ? '' : 'x')
    }
  })

  test('HEAD has the fields of GET, and no content', async () => {
    const { origin } = world()
    origin.serves('/users', { json: [1, 2] })
    const response = await origin.fetch('/users', { method: 'HEAD' })
    expect(response.headers.get('content-length')).toBe('5')
    expect(response.body).toBeNull()
  })

  test('passes on a stream, and tells it when nobody reads on', async () => {
    const { origin } = world()
    let cancelled: unknown
    origin.serves('/endless', () => ({
      body: new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(8)),
        cancel: (reason) => {
          cancelled = reason
        },
      }),
    }))
    const response = await origin.fetch('/endless')
    expect(response.headers.get('content-length')).toBeNull()
    const reader = response.body?.getReader()
    expect((await reader?.read())?.value).toHaveLength(8)
    await reader?.cancel('enough')
    expect(cancelled).toBe('enough')
    expect(origin.requests[0]?.aborted).toBe(true)
  })
})

describe('the log', () => {
  test('has every request in order, as the origin got it', async () => {
    const { origin, clock } = world()
    await origin.fetch('/a?b=1', { headers: { 'X-Test': 'yes', 'Cache-Control': 'no-cache' }, cache: 'reload' })
    await clock.advance(10)
    await origin.fetch(
      new Request(`${origin.url}/b`, { method: 'PUT', body: 'content', credentials: 'include', cache: 'no-store' }),
      { headers: { 'if-none-match': '"x"', 'if-modified-since': 'then' } },
    )
    expect(origin.requests).toMatchObject([
      {
        seq: 1,
        method: 'GET',
        url: `${origin.url}/a?b=1`,
        path: '/a?b=1',
        headers: { 'x-test': 'yes' },
        cacheControl: 'no-cache',
        cacheMode: 'reload',
        credentials: 'same-origin',
        at: START,
        aborted: false,
      },
      {
        seq: 2,
        method: 'PUT',
        body: 'content',
        ifNoneMatch: '"x"',
        ifModifiedSince: 'then',
        cacheMode: 'no-store',
        credentials: 'include',
        at: START + 10,
      },
    ])
    expect(origin.requests[0]).not.toHaveProperty('ifNoneMatch')
    expect(origin.requests[0]).not.toHaveProperty('body')
  })
})

describe('conditional requests (RFC 9110 §13)', () => {
  const EARLIER = 'Wed, 31 Dec 2025 00:00:00 GMT'
  const NOW = 'Thu, 01 Jan 2026 00:00:00 GMT'

  test.each([
    ['the same entity tag', { 'if-none-match': '"v1"' }, 304],
    ['a weak one: the comparison is weak (§13.1.2)', { 'if-none-match': 'W/"v1"' }, 304],
    ['one of a list, with commas inside tags', { 'if-none-match': '"a,b", "v1"' }, 304],
    ['a star', { 'if-none-match': '*' }, 304],
    ['another entity tag', { 'if-none-match': '"v2"' }, 200],
    ['a part of a tag', { 'if-none-match': '"x,"v1"' }, 200],
    [
      'another tag with a matching date: the tag decides (§13.2.2)',
      { 'if-none-match': '"v2"', 'if-modified-since': NOW },
      200,
    ],
    ['the same date', { 'if-modified-since': NOW }, 304],
    ['an earlier date', { 'if-modified-since': EARLIER }, 200],
    ['no date at all', { 'if-modified-since': 'then' }, 200],
  ] as [string, Record<string, string>, number][])('%s', async (_sentence, headers, status) => {
    const { origin } = world()
    origin.serves('/', { etag: '"v1"', lastModified: START, body: 'x' })
    expect((await origin.fetch('/', { headers })).status).toBe(status)
  })

  test('a 304 carries what a 200 would have, less what is about the content (§15.4.5)', async () => {
    const { origin } = world()
    origin.serves('/', {
      etag: '"v1"',
      lastModified: START,
      cacheControl: 'max-age=1',
      vary: 'Accept',
      headers: { expires: '0', 'content-location': '/x' },
      json: {},
    })
    const response = await origin.fetch('/', { headers: { 'if-none-match': '"v1"' } })
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'max-age=1',
      'content-location': '/x',
      date: NOW,
      etag: '"v1"',
      expires: '0',
      vary: 'Accept',
    })
    expect(response.body).toBeNull()
  })

  test('methods other than GET and HEAD, and an origin that does not validate, answer in full', async () => {
    const { origin } = world()
    const headers = { 'if-none-match': '"v1"' }
    origin.serves('/', { etag: '"v1"' })
    expect((await origin.fetch('/', { method: 'HEAD', headers })).status).toBe(304)
    expect((await origin.fetch('/', { method: 'POST', headers })).status).toBe(200)
    origin.serves('/', { etag: '"v1"', validates: false })
    expect((await origin.fetch('/', { headers })).status).toBe(200)
  })
})

describe('redirects (Fetch, HTTP-redirect fetch)', () => {
  test('are followed, each hop a request, and the response says so', async () => {
    const { origin } = world()
    origin.serves('/from', { redirect: '/to#fragment' })
    origin.serves('/to', { body: 'here' })
    const response = await origin.fetch('/from')
    expect(response).toMatchObject({ status: 200, redirected: true, url: `${origin.url}/to` })
    expect(origin.requests.map(({ path }) => path)).toEqual(['/from', '/to'])
  })

  test('leave Authorization behind at their origin, and nothing else', async () => {
    const { origin } = world()
    origin.serves('/from', { redirect: 'https://other.test/to', status: 307 })
    origin.serves('https://other.test/to', { redirect: '/on', status: 308 })
    await origin.fetch('/from', { method: 'POST', body: 'x', headers: { authorization: 'me', 'if-none-match': '"x"' } })
    expect(
      origin.requests.map(({ method, url, body, headers }) => [
        method,
        url,
        body,
        headers.authorization,
        headers['if-none-match'],
      ]),
    ).toEqual([
      ['POST', `${origin.url}/from`, 'x', 'me', '"x"'],
      ['POST', 'https://other.test/to', 'x', undefined, '"x"'],
      ['POST', 'https://other.test/on', 'x', undefined, '"x"'],
    ])
  })

  test.each([
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [302, 'PUT', 'PUT'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [308, 'POST', 'POST'],
  ])('%i turns %s into %s', async (status, method, next) => {
    const { origin } = world()
    origin.serves('/from', { redirect: '/to', status })
    await origin.fetch('/from', { method, ...(method !== 'HEAD' && { body: 'x' }) })
    expect(origin.requests[1]).toMatchObject({ method: next })
    expect(origin.requests[1]?.body).toBe(next === 'GET' || next === 'HEAD' ? undefined : 'x')
  })

  test('end in a network error after twenty, by another scheme, by credentials elsewhere, and with redirect: error', async () => {
    const { origin } = world()
    origin.serves('/loop', { redirect: '/loop' })
    origin.serves('/data', { redirect: 'data:,x' })
    origin.serves('/secret', { redirect: 'https://user:word@other.test/' })
    origin.serves('/own-secret', { redirect: '//user:word@origin.test/' })
    await expect(origin.fetch('/loop')).rejects.toThrow(TypeError)
    expect(origin.requests).toHaveLength(21)
    await expect(origin.fetch('/data')).rejects.toThrow(TypeError)
    await expect(origin.fetch('/secret')).rejects.toThrow(TypeError)
    await expect(origin.fetch('/loop', { redirect: 'error' })).rejects.toThrow(TypeError)
    expect((await origin.fetch('/own-secret')).redirected).toBe(true)
  })

  test('redirect: manual shows nothing but that there was one', async () => {
    const { origin } = world()
    origin.serves('/from', { redirect: '/to' })
    const response = await origin.fetch('/from', { redirect: 'manual' })
    expect(response).toMatchObject({ type: 'opaqueredirect', status: 0, url: `${origin.url}/from`, body: null })
    expect([...response.headers]).toEqual([])
  })
})

describe('as a page sees it (Fetch, filtered responses)', () => {
  test('another origin shows the safelisted fields and those it exposes; no-cors shows nothing', async () => {
    const { origin } = world({ page: 'https://shop.test' })
    const script = {
      etag: '"v1"',
      cacheControl: 'no-cache',
      headers: { 'x-seen': '1', 'access-control-expose-headers': 'X-Seen' },
    }
    origin.serves('/', script)
    origin.serves('https://shop.test/', script)
    const cors = await origin.fetch('/')
    expect(cors.type).toBe('cors')
    expect([...cors.headers].map(([name]) => name)).toEqual(['cache-control', 'content-length', 'x-seen'])
    const basic = await origin.fetch('https://shop.test/')
    expect(basic.type).toBe('basic')
    expect(basic.headers.get('etag')).toBe('"v1"')
    const opaque = await origin.fetch('/', { mode: 'no-cors' })
    expect(opaque).toMatchObject({ type: 'opaque', status: 0, url: '', body: null })
  })

  test('a script may say the type itself', async () => {
    const { origin } = world()
    origin.serves('/', { type: 'cors', etag: '"v1"' })
    const response = await origin.fetch('/')
    expect([response.type, response.headers.get('etag')]).toEqual(['cors', null])
  })
})

describe('barriers', () => {
  test('a hold keeps back the head of an answer that was made when the request came', async () => {
    const { origin, clock } = world()
    origin.serves('/', { body: 'old' })
    const hold = origin.hold('/')
    const response = watch(origin.fetch('/').then((answer) => answer.text()))
    await clock.advance(60_000)
    expect([response.state, hold.waiting, origin.requests.length]).toEqual(['pending', 1, 1])
    origin.serves('/', { body: 'new' })
    hold.release()
    await clock.settle()
    expect([response.result, hold.waiting]).toEqual(['old', 0])
    expect(await (await origin.fetch('/')).text()).toBe('new')
  })

  test('a hold in the body lets its head and half of it pass', async () => {
    const { origin, clock } = world()
    origin.serves('/', { body: '0123456789' })
    const hold = origin.hold('/*', 'body')
    const reader = (await origin.fetch('/')).body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('01234')
    const rest = watch(reader?.read() ?? Promise.reject())
    await clock.settle()
    expect([rest.state, hold.waiting]).toEqual(['pending', 1])
    hold.release()
    await clock.settle()
    expect(rest.result).toEqual({ done: false, value: new TextEncoder().encode('56789') })
    expect((await reader?.read())?.done).toBe(true)
  })

  test.each(['head', 'body'] as const)(
    'an abort in the %s ends the exchange with its reason, and the log says so',
    async (phase) => {
      const { origin, clock } = world()
      origin.serves('/', { body: '0123456789' })
      const hold = origin.hold('/', phase)
      const controller = new AbortController()
      const reason = new Error('changed my mind')
      const text = watch(origin.fetch('/', { signal: controller.signal }).then((response) => response.text()))
      await clock.settle()
      expect(hold.waiting).toBe(1)
      controller.abort(reason)
      await clock.settle()
      expect(text).toEqual({ state: 'rejected', result: reason })
      expect([hold.waiting, origin.requests[0]?.aborted]).toEqual([0, true])
    },
  )

  test('a signal that was aborted before never reaches the origin; an abort after the end is none', async () => {
    const { origin } = world()
    origin.serves('/', { body: 'x' })
    await expect(origin.fetch('/', { signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(origin.requests).toEqual([])
    const controller = new AbortController()
    await (await origin.fetch('/', { signal: controller.signal })).text()
    controller.abort()
    expect(origin.requests[0]?.aborted).toBe(false)
  })

  test('a delay is virtual time, and its Date is that of its end', async () => {
    const { origin, clock } = world()
    origin.serves('/', { delayMs: 3_000 })
    const response = watch(origin.fetch('/').then(({ headers }) => headers.get('date')))
    await clock.advance(2_999)
    expect(response.state).toBe('pending')
    await clock.advance(1)
    expect(response.result).toBe('Thu, 01 Jan 2026 00:00:03 GMT')
  })
})

describe('faults', () => {
  const ten = '0123456789'
  const read = async (response: Response) => {
    const reader = response.body?.getReader()
    let text = ''
    try {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
        text += new TextDecoder().decode(part.value)
      return { text, end: 'normal' }
    } catch (error) {
      return { text, end: (error as Error).constructor.name }
    }
  }

  test('without a connection fetch rejects with a TypeError', async () => {
    const { origin } = world()
    origin.fails('*', 'network')
    await expect(origin.fetch('/')).rejects.toThrow(TypeError)
    expect(origin.requests).toHaveLength(1)
  })

  test('an origin that hangs answers nothing, until the caller goes', async () => {
    const { origin, clock } = world()
    origin.fails('/', 'hang')
    const controller = new AbortController()
    const response = watch(origin.fetch('/', { signal: controller.signal }))
    await clock.advance(3_600_000)
    expect(response.state).toBe('pending')
    controller.abort('enough')
    await clock.settle()
    expect(response.result).toBe('enough')
  })

  test('a body can break off, end short, or begin no further', async () => {
    const { origin, clock } = world()
    origin.serves('/reset', { body: ten, fault: 'reset' })
    origin.serves('/short', { body: ten, fault: 'short', faultAfter: 3 })
    origin.serves('/nothing', { body: ten, fault: 'reset', faultAfter: 0 })
    origin.serves('/stall', { body: ten, fault: 'stall' })
    expect(await read(await origin.fetch('/reset'))).toEqual({ text: '01234', end: 'TypeError' })
    const short = await origin.fetch('/short')
    expect(short.headers.get('content-length')).toBe('10')
    expect(await read(short)).toEqual({ text: '012', end: 'normal' })
    expect(await read(await origin.fetch('/nothing'))).toEqual({ text: '', end: 'TypeError' })
    const stalled = watch(read(await origin.fetch('/stall')))
    await clock.advance(3_600_000)
    expect(stalled.state).toBe('pending')
  })

  test('a body can drip, byte by byte, in virtual time', async () => {
    const { origin, clock } = world()
    origin.serves('/', { body: ten, fault: 'drip', dripMs: 500 })
    const all = watch(read(await origin.fetch('/')))
    await clock.advance(4_999)
    expect(all.state).toBe('pending')
    await clock.advance(1)
    expect(all.result).toEqual({ text: ten, end: 'normal' })
  })

  test('a failure lies over what is served, for so many requests, until it is over', async () => {
    const { origin } = world()
    const outcome = async () => (await origin.fetch('/').then(read, () => ({ text: 'network' }))).text
    origin.serves('/', { body: ten })
    origin.fails('/', 'reset', 1)
    expect([await outcome(), await outcome()]).toEqual(['01234', ten])
    origin.fails('/', 503)
    expect((await origin.fetch('/')).status).toBe(503)
    origin.recovers('/')
    expect(await outcome()).toBe(ten)
    origin.fails('/', { status: 500, body: 'ill' })
    origin.fails('*', 'network')
    expect(await outcome()).toBe('ill')
    origin.recovers()
    expect(await outcome()).toBe(ten)
  })
})
