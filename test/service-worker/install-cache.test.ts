import { describe, expect, test } from 'vitest'
import { causes } from '../engine/harness.ts'
import { type Dispatched, profile, textOf } from './worker-harness.ts'

const HOUR = 3_600_000

describe('a worker without options', () => {
  test.each([
    ['a page', { mode: 'navigate', destination: 'document' }],
    ['a script', { mode: 'no-cors', destination: 'script' }],
    ['a picture', { mode: 'no-cors', destination: 'image' }],
    ['data', { mode: 'cors', destination: '' }],
  ] as const)('answers %s from the store while its headers allow it (RFC 9111 §4)', async (_kind, asking) => {
    const { origin, clock, worker } = await profile()
    origin.serves('/a', { cacheControl: 'max-age=60, stale-if-error=600', body: 'first' })
    const first = worker()
    expect(await textOf(first.ask('/a', asking))).toBe('first')
    await first.cache.settled()
    origin.fails('*', 'network')
    // stopped, and started again: it has only what lies on disk
    const again = worker()
    expect(await textOf(again.ask('/a', asking))).toBe('first')
    await clock.advance(61_000)
    expect(await textOf(again.ask('/a', asking))).toBe('first')
    expect(causes(again.events)).toEqual(['fresh', 'stale-if-error'])
    await clock.advance(600_000)
    await expect(again.ask('/a', asking).response).rejects.toThrow(TypeError)
  })

  test.each([
    ['another method', '/a', { method: 'POST' }],
    ['what a page’s own cache has sent', '/a#nearcache', {}],
    ['no-store', '/a', { cache: 'no-store' }],
    ['a condition of the caller', '/a', { headers: { 'if-none-match': '"v1"' } }],
    ['another origin', 'https://elsewhere.test/a', {}],
    ['a stream of events, which has no end', '/a', { headers: { accept: 'text/event-stream' } }],
  ] as const)('leaves %s alone', async (_what, path, asking) => {
    const { worker } = await profile()
    expect(worker().ask(path, asking).response).toBeUndefined()
  })

  test('neither claims pages nor skips waiting, and asks for no navigation preload', async () => {
    const { worker } = await profile()
    const { dispatch, calls } = worker()
    await dispatch('install')
    await dispatch('activate')
    expect(calls).toEqual(['preload off'])
  })

  test('claims and skips waiting when it is told to', async () => {
    const { worker } = await profile()
    const { dispatch, calls } = worker({ claim: true, skipWaiting: true })
    await dispatch('install')
    await dispatch('activate')
    expect(calls).toEqual(['skip waiting', 'claim', 'preload off'])
  })

  test('skips waiting on a message of a version that it knows, and on no other (STANDARDS SW-8)', async () => {
    const { worker } = await profile()
    const { say, calls } = worker()
    for (const data of [undefined, 'skip-waiting', { type: 'skip-waiting' }, { nearcache: 2, type: 'skip-waiting' }])
      await say(data)
    expect(calls).toEqual([])
    await say({ nearcache: 1, type: 'skip-waiting' })
    expect(calls).toEqual(['skip waiting'])
  })

  test('shares what it stores with the cache of a page, and takes what that has', async () => {
    const { origin, worker, page } = await profile()
    origin.serves('*', { cacheControl: 'max-age=60', headers: { vary: 'accept, accept-language' }, body: 'x' })
    const { ask, cache } = worker()
    const pages = page()
    await textOf(ask('/by-worker', { headers: { accept: '*/*', 'sec-ch-ua': 'x', 'user-agent': 'y' } }))
    await cache.settled()
    await (await pages.fetch('/by-worker')).text()
    await (await pages.fetch('/by-page')).text()
    await pages.settled()
    await textOf(ask('/by-page', { headers: { accept: '*/*', 'sec-ch-ua': 'x' } }))
    expect(origin.requests.map(({ path }) => path)).toEqual(['/by-worker', '/by-page'])
  })

  test('a reload asks the origin, and shows what is fresh when the origin cannot be reached', async () => {
    const { origin, worker } = await profile()
    origin.serves('/', { cacheControl: 'max-age=60', etag: '"v1"', body: 'page' })
    const { visit, events } = worker()
    await textOf(visit('/'))
    await textOf(visit('/', { cache: 'no-cache' }))
    origin.fails('/', 503)
    expect(await textOf(visit('/', { cache: 'no-cache' }))).toBe('page')
    origin.fails('/', 'network')
    expect(await textOf(visit('/', { cache: 'no-cache' }))).toBe('page')
    expect(causes(events).filter((cause) => cause !== 'no-cache')).toContain('fresh')
  })

  test('a film is given in parts from the whole (RFC 9110 §14.2)', async () => {
    const { origin, worker } = await profile()
    origin.serves('/film', { cacheControl: 'max-age=60', body: '0123456789' })
    const { ask } = worker()
    await textOf(ask('/film'))
    const part = await ask('/film', { mode: 'no-cors', destination: 'video', headers: { range: 'bytes=2-4' } }).response
    expect(part?.status).toBe(206)
    expect(part?.headers.get('content-range')).toBe('bytes 2-4/10')
    expect(await part?.text()).toBe('234')
    expect(origin.requests).toHaveLength(1)
  })
})

describe('whose the answers are (law 5)', () => {
  const personal = { cacheControl: 'private, max-age=600', body: 'of somebody' }

  test('without a partition, what is private or was asked for with credentials is kept nowhere, not in memory either', async () => {
    const { origin, worker } = await profile()
    origin.serves('/me', personal)
    origin.serves('/with', { cacheControl: 'max-age=600', body: 'x' })
    const { ask, cache } = worker()
    for (let n = 0; n < 2; n++) {
      await textOf(ask('/me'))
      await textOf(ask('/with', { headers: { authorization: 'Bearer a' } }))
      await textOf(ask('/with', { credentials: 'include' }))
    }
    expect(origin.requests).toHaveLength(6)
    expect(cache.stats().memoryBytes).toBe(0)
  })

  test('a response that a validation marks as private leaves memory, too', async () => {
    const { origin, clock, worker } = await profile()
    origin.serves('/a', ({ seq }) => ({
      cacheControl: seq === 1 ? 'max-age=1' : 'private, max-age=600',
      etag: '"v1"',
      body: 'x',
    }))
    const { ask, cache } = worker()
    await textOf(ask('/a'))
    await clock.advance(2_000)
    await textOf(ask('/a'))
    await cache.settled()
    expect(cache.stats().memoryBytes).toBe(0)
  })

  test('two who ask at once for what is private get one answer each', async () => {
    const { origin, worker } = await profile()
    origin.serves('/me', personal)
    const { ask } = worker()
    await Promise.all([textOf(ask('/me')), textOf(ask('/me'))])
    expect(origin.requests).toHaveLength(2)
  })

  test('it follows the database: what a user has is theirs, and is gone with them', async () => {
    const { origin, worker, page } = await profile()
    let user = 'anna'
    origin.serves('*', () => ({ cacheControl: 'private, max-age=600', body: user }))
    const { ask, visit } = worker()
    const pages = page()
    await pages.setPartition('anna')
    expect(await textOf(ask('/me'))).toBe('anna')
    expect(await textOf(ask('/me'))).toBe('anna')
    expect(origin.requests).toHaveLength(1)

    user = 'ben'
    await pages.setPartition('ben')
    // No message has come; the worker has Anna's answer in memory.
    expect(await textOf(ask('/me'))).toBe('ben')
    user = 'nobody'
    await pages.setPartition(undefined)
    expect(await textOf(visit('/me'))).toBe('nobody')
    expect(await textOf(ask('/me'))).toBe('nobody')
  })

  test('a first user is followed from their next page on, and at once when their page says so', async () => {
    const { origin, worker, page } = await profile()
    origin.serves('*', { cacheControl: 'max-age=600', body: 'x' })
    const { ask, say, cache } = worker()
    await textOf(ask('/a'))
    const pages = page()
    await pages.setPartition('anna')
    await say({ nearcache: 1, type: 'look' })
    await textOf(ask('/a'))
    await cache.settled()
    expect(origin.requests, 'what nobody has is not what Anna has').toHaveLength(2)
  })

  test('while the database cannot be read, everything goes to the network, and nothing is stored', async () => {
    const { origin, worker, database, page } = await profile()
    let user = 'anna'
    origin.serves('*', () => ({ cacheControl: 'private, max-age=600', body: user }))
    const { ask, cache } = worker()
    await page().setPartition('anna')
    expect(await textOf(ask('/me'))).toBe('anna')
    await cache.settled()
    user = 'ben'
    await database.lose()
    for (let nth = 1; nth <= 4; nth++) database.inject({ at: 'open', nth, fault: 'UnknownError' })
    expect(await textOf(ask('/me'))).toBe('ben')
  })

  test.each(['hang', 'UnknownError'] as const)(
    'while the database cannot be read (%s), what was purged is not known: the browser’s own copy is not believed without a look at the origin (law 2)',
    async (fault) => {
      const { origin, clock, worker, database } = await profile()
      origin.serves('/a', { cacheControl: 'max-age=600', body: 'x' })
      for (let nth = 1; nth <= 5; nth++) database.inject({ at: fault === 'hang' ? 'transaction' : 'open', nth, fault })
      const { ask, visit } = worker()
      const copy = async () => new Response('a copy', { headers: { date: new Date(clock.now()).toUTCString() } })
      const asked = [
        ask('/a'),
        ask('/a', { mode: 'no-cors', destination: 'video', headers: { range: 'bytes=0-' } }),
        visit('/a'),
        // Back to a page.
        visit('/a', { cache: 'force-cache' }),
        // Nobody knows whether it was purged a moment ago.
        visit('/a', { preload: copy() }),
      ].map(textOf)
      await clock.advance(50)
      expect(await Promise.all(asked)).toEqual(['x', 'x', 'x', 'x', 'x'])
      expect(origin.requests.map(({ cacheMode }) => cacheMode)).toEqual(Array(5).fill('no-cache'))
      database.release()
    },
  )

  test('a page that was asked for so leads where the origin leads it, with its cookies, as the browser’s own request does (Fetch, respondWith for a navigation)', async () => {
    const { origin, clock, worker, database } = await profile()
    origin.serves('/old', { redirect: '/new' })
    const { visit } = worker()
    database.inject({ at: 'transaction', fault: 'hang' })
    const { response } = visit('/old')
    await clock.advance(50)
    expect((await response)?.type).toBe('opaqueredirect')
    expect(origin.requests).toMatchObject([{ cacheMode: 'no-cache', credentials: 'same-origin' }])
    database.release()
  })

  test.each([
    ['what was asked for ahead is taken when the disk says meanwhile that nothing was purged', false, 1],
    ['and not when it says that something was, a moment ago', true, 2],
  ])('while the database is late %s', async (_, isPurged, requests) => {
    const { origin, clock, worker, database } = await profile()
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'x' })
    const routes = [{ kind: 'navigation', strategy: 'network-first' }] as const
    const first = worker({ routes })
    await textOf(first.visit('/a'))
    if (isPurged) await first.cache.purge({ url: '/a' }, { mode: 'hard' })
    await first.cache.settled()
    const held = origin.hold('/a')
    const { visit } = worker({ routes })
    database.inject({ at: 'transaction', fault: 'hang' })
    const { response } = visit('/a', { preload: origin.fetch('/a') })
    await clock.advance(50)
    database.release()
    await clock.settle()
    held.release()
    expect(await (await response)?.text()).toBe('x')
    expect(origin.requests).toHaveLength(1 + requests)
  })

  test('what was asked for ahead may be the page of whoever was signed in a moment ago', async () => {
    const { origin, clock, worker, page } = await profile()
    origin.serves('/a', { cacheControl: 'no-store', body: 'mine' })
    const { visit } = worker({ routes: [{ kind: 'navigation', strategy: 'network-first' }] })
    const pages = page()
    const copy = async () => new Response('a copy', { headers: { date: new Date(clock.now()).toUTCString() } })
    const seen: string[] = []
    for (const user of ['anna', 'anna', 'ben', undefined]) {
      await pages.setPartition(user)
      seen.push(await textOf(visit('/a', { preload: copy() })))
    }
    await clock.advance(6_000)
    seen.push(await textOf(visit('/a', { preload: copy() })))
    expect(seen).toEqual(['a copy', 'a copy', 'mine', 'mine', 'a copy'])
  })

  test('conditions of ours that came to grief are no reason to believe the browser’s own copy of what was purged', async () => {
    const { origin, worker } = await profile()
    origin.serves('/a', { cacheControl: 'max-age=600', etag: '"1"', body: 'x' })
    const { ask, cache } = worker()
    await textOf(ask('/a'))
    await cache.settled()
    await cache.purge({ url: '/a' })
    origin.fails('/a', 'network', 1)
    expect(await textOf(ask('/a'))).toBe('x')
    expect(origin.requests.slice(1).map(({ cacheMode, ifNoneMatch }) => [cacheMode, ifNoneMatch])).toEqual([
      ['no-store', '"1"'],
      ['no-cache', undefined],
    ])
  })

  test('a database that hangs costs a read no more than diskMs (R6)', async () => {
    const { origin, clock, worker, database } = await profile()
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'x' })
    const { ask } = worker()
    database.inject({ at: 'transaction', fault: 'hang' })
    const asked = textOf(ask('/a'))
    await clock.advance(50)
    expect(await asked).toBe('x')
    database.release()
  })
})

describe('what may go wrong', () => {
  test('a promise that never settles keeps the worker no longer than the deadline (FAULTS F-14, B-10)', async () => {
    const { origin, clock, worker } = await profile()
    origin.serves('/endless', { cacheControl: 'max-age=60', body: 'x'.repeat(100) })
    origin.hold('/endless', 'body')
    const { ask } = worker({ deadlineMs: 5_000 })
    const { response, over } = ask('/endless')
    await response
    let isOver = false
    over.then(() => {
      isOver = true
    })
    await clock.advance(4_999)
    expect(isOver).toBe(false)
    await clock.advance(1)
    expect(isOver).toBe(true)
  })

  test('an answer that does not come is waited for, until an update has waited for it for the deadline', async () => {
    const { origin, clock, worker } = await profile()
    origin.serves('/slow', { body: 'x' })
    origin.hold('/slow')
    const { ask, registration } = worker({ deadlineMs: 5_000 })
    const { response } = ask('/slow')
    const ended = response?.then(
      () => 'answered',
      (error: unknown) => error,
    )
    let isOver = false
    ended?.then(() => {
      isOver = true
    })
    await clock.advance(60_000)
    expect(isOver).toBe(false)
    registration.waiting = {}
    await clock.advance(5_000)
    expect(await ended).toBeInstanceOf(TypeError)
  })

  test('an error of ours costs one plain request, and no page (STANDARDS SW-4, FAULTS F-22)', async () => {
    const { origin, worker } = await profile()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'x' })
    let isBroken = false
    const key = {
      get ignore(): string[] {
        if (isBroken) throw new Error('a bug')
        return []
      },
    }
    const { ask } = worker({ routes: [{ match: '/a', key }] })
    isBroken = true
    expect(await textOf(ask('/a'))).toBe('x')
    expect(origin.requests).toHaveLength(1)
  })

  test.each(['open', 'match', 'put', 'keys', 'delete', 'has'])(
    'a Cache Storage whose %s() fails costs a page nothing: neither its answer nor the rest of its body (F-22)',
    async (name) => {
      const { origin, worker, caches } = await profile()
      origin.serves('*', ({ path }) => ({ cacheControl: 'max-age=600', body: path }))
      const routes = [
        { kind: 'navigation', fallback: '/offline.html' },
        { match: 'https://cdn.test/*', opaque: true },
      ] as const
      await worker({ routes }).dispatch('install')
      const fail = () => Promise.reject(new DOMException('Cache Storage is broken', 'UnknownError'))
      const open = caches.open.bind(caches)
      const broken = Object.assign(caches, {
        open: async (cache: string) => Object.assign(await open(cache), { [name]: fail }),
      })
      if (name in broken) Object.assign(broken, { [name]: fail })
      const { visit, ask } = worker({ routes })
      const held = origin.hold('/page', 'body')
      const page = visit('/page')
      const response = await page.response
      await ask('https://cdn.test/a', { mode: 'no-cors', destination: 'image' }).response
      held.release()
      expect(await response?.text()).toBe('/page')
      await page.over
    },
  )

  test('a Cache Storage that hangs costs a page a few seconds, a picture diskMs, and neither its answer (law 6)', async () => {
    const { origin, clock, worker, caches } = await profile()
    origin.serves('*', ({ path }) => ({ cacheControl: 'max-age=600', body: path }))
    const options = {
      shell: { version: '1', page: '/', files: [{ url: '/' }] },
      routes: [
        { kind: 'navigation', fallback: '/offline.html' },
        { match: 'https://cdn.test/*', opaque: true },
      ],
    } as const
    await worker(options).dispatch('install')
    const open = caches.open.bind(caches)
    let goOn = () => {}
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    Object.assign(caches, { open: (name: string) => gate.then(() => open(name)), has: () => gate.then(() => true) })
    const { visit, ask } = worker(options)
    const shown: string[] = []
    const show = (what: string, { response }: Dispatched) =>
      response?.then(
        () => shown.push(what),
        () => shown.push(`no ${what}`),
      )
    show('picture', ask('https://cdn.test/a', { mode: 'no-cors', destination: 'image' }))
    show('page', visit('/a', { resultingClient: 'tab' }))
    show('script', ask('/app.js', { client: 'tab' }))
    await clock.advance(50)
    expect(shown).toEqual(['picture'])
    await clock.advance(4_950)
    expect(shown).toEqual(['picture', 'page', 'script'])
    // Without a network it is waited for after all.
    origin.fails('*', 'network')
    show('stored picture', ask('https://cdn.test/a', { mode: 'no-cors', destination: 'image' }))
    await clock.advance(1_000)
    goOn()
    await clock.settle()
    expect(shown.at(-1)).toBe('stored picture')
  })

  test('a film whose parts lie elsewhere is asked for as its page asks for it, without CORS, also where the browser’s own copy is not believed', async () => {
    const { origin, worker } = await profile()
    origin.serves('/film', { redirect: 'https://cdn.test/film' })
    origin.serves('https://cdn.test/film', { body: '0123456789' })
    const { ask, cache } = worker()
    const part = { mode: 'no-cors', destination: 'video', headers: { range: 'bytes=2-4' } } as const
    expect((await ask('/film', part).response)?.type).toBe('opaque')
    await cache.purge({ url: '/another' })
    expect((await ask('/film', part).response)?.type).toBe('opaque')
  })

  test('what the network refuses is refused once, not asked for again', async () => {
    const { origin, worker } = await profile()
    origin.fails('*', 'network')
    await expect(worker().ask('/a').response).rejects.toThrow(TypeError)
    expect(origin.requests).toHaveLength(1)
  })
})

describe('the routes', () => {
  test('network-first asks each time, uses what the browser has asked for ahead, and falls back (SW-11)', async () => {
    const { origin, worker } = await profile()
    origin.serves('*', { cacheControl: 'max-age=600', body: 'from the worker' })
    const { visit, dispatch, calls } = worker({ routes: [{ kind: 'navigation', strategy: 'network-first' }] })
    await dispatch('activate')
    expect(calls).toEqual(['preload on'])
    const preload = () => origin.fetch('/', { headers: { 'service-worker-navigation-preload': 'true' } })
    for (let n = 0; n < 2; n++) await textOf(visit('/', { preload: preload() }))
    expect(origin.requests.map(({ headers }) => headers['service-worker-navigation-preload'])).toEqual(['true', 'true'])
    origin.fails('*', 'network')
    expect(await textOf(visit('/', { preload: preload() }))).toBe('from the worker')
  })

  test('a request ahead of which nothing is ever heard, as now and then in Firefox, is made anew after five seconds', async () => {
    const { origin, worker, clock } = await profile()
    origin.serves('*', { cacheControl: 'max-age=600', body: 'asked for anew' })
    const { visit } = worker({ routes: [{ kind: 'navigation', strategy: 'network-first' }] })
    let shown: string | undefined
    textOf(visit('/', { preload: new Promise(() => {}) })).then((text) => {
      shown = text
    })
    await clock.advance(4_999)
    expect([shown, origin.requests.length]).toEqual([undefined, 0])
    await clock.advance(1)
    expect([shown, origin.requests.length]).toEqual(['asked for anew', 1])
  })

  test.each([
    ['rejects', async () => Promise.reject(new TypeError('no network'))],
    ['gives a network error, as in Firefox', async () => Response.error()],
    ['gives nothing', async () => undefined],
  ])('a request ahead that %s is none: what is stored is shown, or the fallback page', async (_, preload) => {
    const { origin, worker } = await profile()
    origin.serves('*', ({ path }) => ({ cacheControl: 'max-age=600', body: path }))
    const { visit, dispatch } = worker({
      routes: [{ kind: 'navigation', strategy: 'network-first', fallback: '/offline.html' }],
    })
    await dispatch('install')
    await textOf(visit('/seen'))
    origin.fails('*', 'network')
    expect(await textOf(visit('/seen', { preload: preload() }))).toBe('/seen')
    expect(await textOf(visit('/never', { preload: preload() }))).toBe('/offline.html')
  })

  test.each([
    ['is old', 60_000, false],
    ['has no date', undefined, false],
    ['may be older than a purge', 0, true],
  ])(
    'what was asked for ahead and %s may be a copy of the browser’s own cache: the origin is asked',
    async (_, age, isPurged) => {
      const { origin, clock, worker } = await profile()
      origin.serves('/', ({ seq }) => ({ cacheControl: 'max-age=600', body: `answer ${seq}` }))
      const { visit, cache } = worker({ routes: [{ kind: 'navigation', strategy: 'network-first' }] })
      await textOf(visit('/'))
      if (isPurged) await cache.purge({ url: '/' }, { mode: 'hard' })
      const headers = new Headers({ 'cache-control': 'max-age=600' })
      if (age !== undefined) headers.set('date', new Date(clock.now() - age).toUTCString())
      const preload = async () => new Response('a copy', { headers })
      expect(await textOf(visit('/', { preload: preload() }))).toBe('answer 2')
      await cache.settled()
      origin.fails('*', 'network')
      expect(await textOf(visit('/', { preload: preload() }))).toBe('answer 2')
    },
  )

  test('network-first never shows what must be confirmed (RFC 9111 §4.2.4)', async () => {
    const { origin, worker } = await profile()
    origin.serves('/', { cacheControl: 'no-cache', body: 'x' })
    const { visit } = worker({ routes: [{ kind: 'navigation', strategy: 'network-first' }] })
    await textOf(visit('/'))
    origin.fails('*', 'network')
    await expect(visit('/').response).rejects.toThrow(TypeError)
  })

  test('stale-while-revalidate answers at once and refreshes behind (RFC 5861 §3)', async () => {
    const { origin, clock, worker } = await profile()
    origin.serves('/', ({ seq }) => ({ cacheControl: 'max-age=1', body: `${seq}` }))
    const { visit, cache } = worker({ routes: [{ kind: 'navigation', strategy: 'stale-while-revalidate' }] })
    await textOf(visit('/'))
    await clock.advance(HOUR)
    expect(await textOf(visit('/'))).toBe('1')
    await cache.settled()
    expect(await textOf(visit('/'))).toBe('2')
  })

  test('the fallback page is fetched at install, and shown when nothing else is left', async () => {
    const { origin, worker } = await profile()
    origin.serves('/offline.html', { cacheControl: 'no-store', body: 'You are offline' })
    const { visit, ask, dispatch } = worker({ routes: [{ kind: 'navigation', fallback: '/offline.html' }] })
    await dispatch('install')
    origin.fails('*', 'network')
    expect(await textOf(visit('/never-seen'))).toBe('You are offline')
    await expect(ask('/data').response).rejects.toThrow(TypeError)
  })

  test('what a route sends to the network is left alone, without the worker where the browser can do that (SW-12)', async () => {
    const { worker } = await profile()
    const { ask, dispatch, routes } = worker({ routes: [{ match: '/admin/*', strategy: 'network' }] })
    await dispatch('install')
    expect(ask('/admin/users').response).toBeUndefined()
    expect(routes).toEqual([
      {
        condition: {
          urlPattern: { protocol: 'https', hostname: 'origin.test', port: '', pathname: '/admin/*', search: '*' },
        },
        source: 'network',
      },
    ])
  })

  test('parameters that mean nothing share a page', async () => {
    const { origin, worker } = await profile()
    origin.serves('*', { cacheControl: 'max-age=60', body: 'page' })
    const { visit } = worker({ routes: [{ kind: 'navigation', key: { ignore: ['utm_*'] } }] })
    await textOf(visit('/?utm_source=mail'))
    await textOf(visit('/'))
    expect(origin.requests).toHaveLength(1)
  })

  test('another origin is cached by a route alone, by its own headers', async () => {
    const { origin, worker } = await profile()
    origin.serves('https://api.test/a', {
      cacheControl: 'max-age=60',
      headers: { 'access-control-allow-origin': '*' },
      body: 'x',
    })
    const { ask } = worker({ routes: [{ match: 'https://api.test/*' }] })
    for (let n = 0; n < 2; n++) await textOf(ask('https://api.test/a'))
    expect(origin.requests).toHaveLength(1)
  })
})

test('what a page leaves undone is refreshed, and stored for the next page', async () => {
  const { origin, clock, worker, page } = await profile()
  origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=1, stale-while-revalidate=600', json: { seq } }))
  const pages = page()
  await pages.json('/a')
  await pages.settled()
  await clock.advance(5_000)
  const { say } = worker()
  await say({ nearcache: 1, type: 'refresh', requests: [{ url: `${origin.url}/a`, headers: [] }, { url: 1 }, null] })
  expect(origin.requests).toHaveLength(2)
  expect(await page().json('/a')).toEqual({ seq: 2 })
  expect(origin.requests).toHaveLength(2)
})

test.each(['include', 'omit'] as const)(
  'what a page leaves undone is made anew with its credentials (%s): they say who may have the response (law 5)',
  async (credentials) => {
    const { origin, clock, worker, page } = await profile()
    origin.serves('/me', ({ seq }) => ({ cacheControl: 'max-age=1, stale-while-revalidate=600', json: { seq } }))
    const pages = page()
    const requests: object[] = []
    pages.on((event) => {
      if (event.type !== 'refreshing') return
      const { url, headers, credentials } = event
      requests.push({ url, headers, credentials })
    })
    await pages.json('/me', { credentials })
    await clock.advance(5_000)
    await pages.json('/me', { credentials })
    await pages.settled()
    const { say } = worker()
    await say({ nearcache: 1, type: 'refresh', requests })
    expect(origin.requests.map((request) => request.credentials)).toEqual([credentials, credentials, credentials])
    // Without a partition nobody else is given what came with `include`; what was asked for without cookies is apart from the rest.
    expect(await page().json('/me', { credentials })).toEqual({ seq: credentials === 'omit' ? 3 : 4 })
    expect(await page().json('/me')).toEqual({ seq: credentials === 'omit' ? 4 : 5 })
  },
)
