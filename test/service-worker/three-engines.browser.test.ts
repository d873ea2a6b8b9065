import { describe, expect, inject, test } from 'vitest'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { seqOf, visit } from './site-visit.ts'

// What only browsers can prove, in all three of them.

describe('with the worker in control', { timeout: 60_000 }, () => {
  test('and the origin stopped: reload, visited pages, pictures and data go on within their windows', async () => {
    const { call, url, go, reload, stop } = await visit()
    await call('register', { claim: true })
    // a second visit, now by way of the worker
    await reload()
    expect(await call('isControlled')).toBe(true)
    await go('/page/2')
    await call('plain', '/api/a')
    await call('plain', '/api/a?cc=max-age%3D0')
    // A redirected response may not answer a navigation (Fetch, HTTP fetch): one that is made anew of it may.
    await call('plain', '/moved?to=/page/led')
    // written behind: what is not yet on disk is in the worker's memory
    await stop()
    await reload()
    expect(await call('shown')).toBe('/page/2')
    await go('/')
    expect([await call('shown'), await call('pictures'), await call('image', '/picture.svg')]).toEqual([
      '/',
      true,
      true,
    ])
    const again = await call('plain', '/api/a')
    expect(again).toMatchObject({ url: `${url}/api/a`, redirected: false })
    expect(again.cacheStatus).toContain('nearcache; hit')
    await go('/page/led')
    expect(await call('shown')).toBe('/page/led')
    await expect(call('plain', '/api/a?cc=max-age%3D0')).rejects.toThrow('TypeError')
    expect(await call('errors')).toEqual([])
  })

  test('what the page’s own cache sends passes through it: untouched, unseen by the origin, and without a second window (F-20)', async () => {
    const { call, requests, url } = await visit()
    await call('register', { claim: true })
    const path = '/api/b?cc=max-age%3D600'
    // the worker has its own answer, which the page must not be given: it asks for confirmation
    await call('plain', path)
    const first = await call('cached', path, { cache: 'no-cache' })
    expect(first.url).toBe(url + path)
    expect(first.redirected).toBe(false)
    expect(first.cacheStatus?.match(/nearcache/g)).toHaveLength(1)
    const received = await requests(path)
    expect(received.map(({ method }) => method)).toEqual(['GET', 'GET'])
    expect(seqOf(first)).toBeGreaterThan(1)
    // and a request that is not marked is the worker's
    expect((await call('plain', path)).cacheStatus).toContain('hit')
    expect(await requests(path)).toHaveLength(2)
  })

  test('across origins the mark costs no preflight, and is part of nothing that is seen', async () => {
    const { call } = await visit()
    await call('register', { claim: true })
    const other = `${inject('origin')}/marked?${crypto.randomUUID()}`
    expect((await call('cached', other)).url).toBe(other)
    const path = other.slice(inject('origin').length)
    const received = await (await fetch(`${inject('origin')}/received?url=${encodeURIComponent(path)}`)).json()
    expect(received.map(({ method }: { method: string }) => method)).toEqual(['GET'])
  })

  test.each([
    ['as its headers say', {}],
    ['from the network first', { routes: [{ kind: 'navigation', strategy: 'network-first' }] }],
  ])('each page that is loaded %s registers it again, and it is ready', async (_, routes) => {
    const { call, reload, go } = await visit()
    await call('register', { claim: true, ...routes })
    for (const next of [reload, () => go('/page/2'), () => go('/page/2')]) {
      await next()
      await call('register', { claim: true, ...routes })
      expect(await call('told')).toEqual(['activated'])
      expect(await call('isControlled')).toBe(true)
    }
  })

  test('a redirected answer is the browser’s own: its URL is where it led', async () => {
    const { call, url } = await visit()
    await call('register', { claim: true })
    expect(await call('plain', '/moved?to=/api/c')).toMatchObject({ url: `${url}/api/c`, redirected: true })
  })

  test.each([
    ['while its disk is late', 0],
    ['when it knows', 60_000],
  ])('a page that was hard-purged is asked for anew %s, though the browser has a copy (law 2)', async (_, diskMs) => {
    const { call, go, requests } = await visit()
    // A copy of the browser's own, without a worker.
    for (let n = 0; n < 2; n++) await call('plain', '/page/old')
    expect(await requests('/page/old')).toHaveLength(1)
    await call('register', { claim: true, deadlines: { diskMs } })
    await call('purge', '/page/old')
    await go('/page/old')
    expect(await call('shown')).toBe('/page/old')
    expect(await requests('/page/old')).toHaveLength(2)
    // Where a page leads, the browser goes itself.
    await go('/moved?to=/page/there')
    expect([await call('shown'), await call('address')]).toEqual(['/page/there', '/page/there'])
  })

  test('what one user has asked for is not given to the next, though no message has come (law 5)', async () => {
    const { call } = await visit()
    await call('register', { claim: true })
    const path = '/api/me?cc=private,%20max-age%3D600'
    await call('setPartition', 'anna')
    const first = seqOf(await call('plain', path))
    expect(seqOf(await call('plain', path))).toBe(first)
    await call('setPartition', 'ben')
    expect(seqOf(await call('plain', path))).not.toBe(first)
  })
})

test.each([true, false])(
  'what lies on disk of a user is encrypted (%s) by the worker as by the page, and each reads the other’s',
  {
    timeout: 60_000,
  },
  async (encrypt) => {
    const { call, reload, requests } = await visit()
    const [byWorker, byPage] = ['/api/worker?cc=private,%20max-age%3D600', '/api/page?cc=private,%20max-age%3D600']
    await call('open', { disk: { encrypt } })
    await call('register', { claim: true, disk: { encrypt } })
    await call('setPartition', 'anna')
    const [theirs, ours] = [await call('plain', byWorker), await call('cached', byPage)]
    await expect.poll(() => call('diskHolds', '/api/worker')).toBe(true)
    expect(await call('diskHolds', '{"seq":')).toBe(!encrypt)
    // Another page has nothing in memory.
    await reload()
    await call('open', { disk: { encrypt }, partition: 'anna' })
    expect((await call('cached', byWorker)).text).toBe(theirs.text)
    expect((await call('plain', byPage)).text).toBe(ours.text)
    expect([(await requests(byWorker)).length, (await requests(byPage)).length]).toEqual([1, 1])
  },
)

test('a page of a later version beside a page and a worker of this one: neither spoils what is the other’s (law 11, FAULTS F-19)', {
  timeout: 60_000,
}, async () => {
  const { call, another } = await visit()
  await call('register', { claim: true })
  const later = await another('/later')
  const paths = ['/api/v/0', '/api/v/1', '/api/v/2']
  const random = seededRandom(19)
  const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T
  let newest = 0
  const read = async (page: typeof call, how: 'cached' | 'plain', path: string) => {
    const { status, text } = await page(how, path)
    newest = Math.max(newest, JSON.parse(text).seq)
    expect(status).toBe(200)
    return JSON.parse(text).seq as number
  }
  // They are two indeed: what the later one has stored this one cannot read.
  for (const page of [later, call]) expect((await page('cached', '/api/two')).cacheStatus).toContain('detail=miss')
  for (let step = 0; step < 60; step++) {
    const [page, path] = [pick([call, later]), pick(paths)]
    if (random() < 0.2) {
      const before = newest
      await page('purge', path)
      expect(await read(page, 'cached', path), `step ${step}`).toBeGreaterThan(before)
    } else await read(page, pick(['cached', 'plain']), path)
  }
  // Each has what it can read, whoever wrote last: what the other one wrote is a miss, and never an error.
  for (const page of [call, later]) {
    for (const path of paths) expect(await read(page, 'cached', path)).toBe(await read(page, 'cached', path))
    expect(await page('errors')).toEqual([])
  }
})

test('six pages and the worker ask for the same cold keys at once: one request for each, and a purge holds in all', {
  timeout: 120_000,
}, async () => {
  const { call, another, requests } = await visit()
  await call('register', { claim: true, deadlines: { diskMs: 60_000, lockMs: 60_000 } })
  const pages = [call, ...(await Promise.all([another(), another(), another(), another(), another()]))]
  const paths = Array.from({ length: 10 }, (_, index) => `/api/cold/${index}`)
  const [plain, ...cached] = pages
  const answers = await Promise.all([
    ...paths.map((path) => plain?.('plain', path)),
    ...cached.flatMap((page) => paths.map((path) => page('cached', path))),
  ])
  for (const [index, path] of paths.entries()) {
    const seen = answers.filter((_, place) => place % paths.length === index).map((answer) => answer?.text)
    expect(new Set(seen).size, path).toBe(1)
    expect(await requests(path), path).toHaveLength(1)
  }
  const [path = ''] = paths
  await cached[0]?.('purge', path)
  // The others hear of it a moment later (DESIGN 12, law 2).
  const seen = async () => {
    const again = await Promise.all(pages.slice(1).map((page) => page('cached', path)))
    return [...new Set(again.map(({ text }) => text === answers[0]?.text))]
  }
  await expect.poll(seen).toEqual([false])
  expect(await requests(path)).toHaveLength(2)
})

test('a page without a worker, and one whose script is not there, work on (F-21)', { timeout: 60_000 }, async () => {
  const { call } = await visit()
  expect(await call('refused', '/no/such/worker.js?status=404')).toMatchObject({ name: 'CacheError', code: 'worker' })
  expect((await call('cached', '/api/d')).status).toBe(200)
  expect(await call('isControlled')).toBe(false)
})
