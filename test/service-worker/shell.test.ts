import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Shell } from '../../src/service-worker/index.ts'
import { profile, textOf } from './worker-harness.ts'

const HOUR = 3_600_000

const hashOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`

/** A deploy whose page and script are both of one version; only the page's name stays. */
const deploy = (version: string): { readonly files: Record<string, string>; readonly shell: Shell } => {
  const files = { '/': `page ${version}`, '/app.js': `script ${version}`, '/logo.svg': 'the same in each' }
  return {
    files,
    shell: { version, page: '/', files: Object.entries(files).map(([url, text]) => ({ url, hash: hashOf(text) })) },
  }
}

async function world() {
  const made = await profile()
  const publish = ({ files }: ReturnType<typeof deploy>) => {
    for (const [path, body] of Object.entries(files)) made.origin.serves(path, { cacheControl: 'no-cache', body })
  }
  return { ...made, publish, asked: () => made.origin.requests.map(({ path }) => path) }
}

describe('an app shell', () => {
  test('is fetched whole at install, and answers its pages without a network, whatever its headers say', async () => {
    const { origin, publish, worker } = await world()
    const one = deploy('1')
    publish(one)
    const { dispatch, visit, ask } = worker({ shell: one.shell })
    await dispatch('install')
    origin.fails('*', 'network')
    expect(await textOf(visit('/', { resultingClient: 'tab' }))).toBe('page 1')
    expect(await textOf(visit('/some/where?else', { resultingClient: 'tab' }))).toBe('page 1')
    expect(await textOf(ask('/app.js', { mode: 'no-cors', destination: 'script', client: 'tab' }))).toBe('script 1')
  })

  test('fails to install as a whole when one file is of another deploy, and says which', async () => {
    const { caches, publish, worker } = await world()
    publish({ ...deploy('2'), files: { ...deploy('1').files, '/app.js': 'script 2' } })
    const failed = worker({ shell: deploy('1').shell }).dispatch('install')
    await expect(failed).rejects.toMatchObject({ name: 'CacheError', code: 'worker' })
    await expect(failed).rejects.toThrow('/app.js of the app shell is sha256-')
    expect(await caches.keys()).toEqual([])
  })

  test.each([
    ['that is not there', 404 as const],
    ['that cannot be had', 'network' as const],
  ])('fails to install as a whole with a file %s', async (_what, how) => {
    const { origin, caches, publish, worker } = await world()
    publish(deploy('1'))
    origin.fails('/logo.svg', how)
    await expect(worker({ shell: deploy('1').shell }).dispatch('install')).rejects.toMatchObject({ code: 'worker' })
    expect(await caches.keys()).toEqual([])
  })

  test('fetches of a new deploy only what has changed', async () => {
    const { publish, worker, asked } = await world()
    publish(deploy('1'))
    await worker({ shell: deploy('1').shell }).dispatch('install')
    publish(deploy('2'))
    const before = asked().length
    await worker({ shell: deploy('2').shell }).dispatch('install')
    expect(asked().slice(before).sort()).toEqual(['/', '/app.js'])
    await worker({ shell: deploy('2').shell }).dispatch('install')
    expect(asked()).toHaveLength(before + 2)
  })

  test('gives each page what belongs to it, and goes with its last page, also after skipWaiting (FAULTS B-9)', async () => {
    const { origin, clock, caches, clients, publish, worker } = await world()
    publish(deploy('1'))
    const old = worker({ shell: deploy('1').shell })
    await old.dispatch('install')
    await textOf(old.visit('/', { resultingClient: 'old tab' }))
    clients.push('old tab')

    publish(deploy('2'))
    const next = worker({ shell: deploy('2').shell, skipWaiting: true, claim: true })
    await next.dispatch('install')
    await next.dispatch('activate')
    origin.fails('*', 'network')
    const script = (client: string) => textOf(next.ask('/app.js', { mode: 'no-cors', destination: 'script', client }))
    expect(await textOf(next.visit('/', { resultingClient: 'new tab' }))).toBe('page 2')
    clients.push('new tab')
    expect([await script('old tab'), await script('new tab')]).toEqual(['script 1', 'script 2'])

    clients.splice(0, 1)
    await clock.advance(HOUR)
    await next.visit('/', { resultingClient: 'another tab' }).over
    expect((await caches.keys()).sort()).toEqual(['nearcache-shell-(pages)', 'nearcache-shell-2'])
  })

  test('gives a page that it does not know nothing of itself: nobody knows of which deploy that page is', async () => {
    const { origin, publish, worker } = await world()
    publish(deploy('1'))
    const { dispatch, ask } = worker({ shell: deploy('1').shell })
    await dispatch('install')
    origin.serves('/app.js', { cacheControl: 'no-cache', body: 'script 2' })
    expect(await textOf(ask('/app.js', { client: 'loaded before the worker' }))).toBe('script 2')
  })

  test('gives a film in parts, as every engine wants it to play and to seek (RFC 9110 §14.2)', async () => {
    const { origin, worker } = await world()
    origin.serves('/', { body: 'page' })
    origin.serves('/film.mp4', { headers: { 'content-type': 'video/mp4' }, body: '0123456789' })
    const files = ['/', '/film.mp4'].map((url) => ({ url }))
    const { dispatch, visit, ask } = worker({ shell: { version: '1', files } })
    await dispatch('install')
    origin.fails('*', 'network')
    await textOf(visit('/', { resultingClient: 'tab' }))
    const part = async (range: string) => {
      const asking = { mode: 'no-cors', destination: 'video', client: 'tab', headers: { range } } as const
      const response = (await ask('/film.mp4', asking).response) as Response
      const { status, headers } = response
      return [status, headers.get('content-range'), headers.get('content-length'), await response.text()]
    }
    expect(await part('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '3', '234'])
    expect(await part('bytes=0-')).toEqual([206, 'bytes 0-9/10', '10', '0123456789'])
    expect(await part('bytes=-3')).toEqual([206, 'bytes 7-9/10', '3', '789'])
    expect(await part('bytes=8-99')).toEqual([206, 'bytes 8-9/10', '2', '89'])
    expect(await part('bytes=10-')).toEqual([416, 'bytes */10', '0', ''])
    // A server need not know what it is asked for in this way.
    expect((await part('bytes=0-1,4-5'))[0]).toBe(200)
  })

  test.each(['/icon@2x.png', '/[id]-a+b,c=d.js', "/it's (1).js"])(
    'finds %s whichever characters of its address the list and the page have escaped',
    async (path) => {
      const { origin, worker } = await world()
      origin.serves('*', ({ path }) => ({ body: path }))
      const escaped = `/${encodeURIComponent(path.slice(1))}`
      for (const listed of [path, escaped]) {
        origin.recovers('*')
        const { dispatch, visit, ask } = worker({
          shell: { version: listed === path ? '1' : '2', files: [{ url: '/' }, { url: listed }] },
        })
        await dispatch('install')
        origin.fails('*', 'network')
        await textOf(visit('/', { resultingClient: 'tab' }))
        for (const asked of [path, escaped]) await textOf(ask(asked, { client: 'tab' }))
      }
    },
  )

  test('gives the fallback page what it is made of, too', async () => {
    const { origin, worker } = await world()
    origin.serves('*', ({ path }) => ({ cacheControl: 'no-store', body: path }))
    const files = ['/offline.html', '/offline.css'].map((url) => ({ url, hash: hashOf(url) }))
    const routes = [{ kind: 'navigation', fallback: 'offline.html' }] as const
    const { dispatch, visit, ask } = worker({ routes, shell: { version: '1', files } })
    await dispatch('install')
    expect(origin.requests, 'each once, by its hash').toHaveLength(2)
    await worker({ routes, shell: { version: '1', files } }).dispatch('install')
    expect(origin.requests).toHaveLength(2)
    origin.fails('*', 'network')
    expect(await textOf(visit('/never-seen', { resultingClient: 'tab' }))).toBe('/offline.html')
    expect(await textOf(ask('/offline.css', { mode: 'no-cors', destination: 'style', client: 'tab' }))).toBe(
      '/offline.css',
    )
  })

  test('gives a worker that a page starts, and what that imports, from the deploy of the page', async () => {
    const { origin, clock, clients, publish, worker } = await world()
    publish(deploy('1'))
    const old = worker({ shell: deploy('1').shell })
    await old.dispatch('install')
    await textOf(old.visit('/', { resultingClient: 'tab' }))
    const starting = { mode: 'same-origin', destination: 'worker', client: 'tab', resultingClient: 'a worker' } as const
    expect(await textOf(old.ask('/app.js', starting))).toBe('script 1')
    clients.push('tab', 'a worker')
    publish(deploy('2'))
    const next = worker({ shell: deploy('2').shell })
    await next.dispatch('install')
    await clock.advance(2 * HOUR)
    await next.dispatch('activate')
    origin.fails('*', 'network')
    expect(await textOf(next.ask('/app.js', { client: 'a worker' }))).toBe('script 1')
  })

  test('still knows a page that comes back from the back/forward cache, where it is no client', async () => {
    const { origin, clock, clients, publish, worker } = await world()
    publish(deploy('1'))
    const { dispatch, visit, ask } = worker({ shell: deploy('1').shell })
    await dispatch('install')
    await textOf(visit('/', { resultingClient: 'left' }))
    clients.push('left')
    await clock.advance(2 * HOUR)
    await visit('/', { resultingClient: 'next' }).over
    clients.splice(0, 1, 'next')
    await clock.advance(10 * 60_000)
    await visit('/', { resultingClient: 'the one after' }).over
    origin.fails('*', 'network')
    expect(await textOf(ask('/app.js', { client: 'left' }))).toBe('script 1')
  })

  test.each(['Origin', '*'])('keeps files that are sent with Vary: %s, as each of them is one', async (vary) => {
    const { origin, worker } = await world()
    origin.serves('*', { headers: { vary }, body: 'x' })
    const { dispatch, visit } = worker({ shell: { version: '1', files: [{ url: '/' }] } })
    await dispatch('install')
    origin.fails('*', 'network')
    expect(await textOf(visit('/', { resultingClient: 'tab' }))).toBe('x')
  })

  test('a fallback page alone is kept, and what an earlier worker had as a shell goes', async () => {
    const { origin, clock, caches, publish, worker } = await world()
    publish(deploy('1'))
    const old = worker({ shell: deploy('1').shell })
    await old.dispatch('install')
    await textOf(old.visit('/', { resultingClient: 'old tab' }))
    origin.serves('/offline.html', { body: 'You are offline' })
    const next = worker({ routes: [{ kind: 'navigation', fallback: '/offline.html' }] })
    await next.dispatch('install')
    await clock.advance(2 * HOUR)
    await next.dispatch('activate')
    expect(await caches.keys()).not.toContain('nearcache-shell-1')
    origin.fails('*', 'network')
    expect(await textOf(next.visit('/never-seen', { resultingClient: 'tab' }))).toBe('You are offline')
  })
})
