import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Shell } from '../../src/service-worker/index.ts'
import { profile, textOf } from './worker-harness.ts'

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
    await clock.advance(61_000)
    await next.visit('/', { resultingClient: 'another tab' }).over
    expect((await caches.keys()).sort()).toEqual(['nearcache-shell-2', 'nearcache-shell-pages'])
  })

  test('gives a page that it does not know nothing of itself: nobody knows of which deploy that page is', async () => {
    const { origin, publish, worker } = await world()
    publish(deploy('1'))
    const { dispatch, ask } = worker({ shell: deploy('1').shell })
    await dispatch('install')
    origin.serves('/app.js', { cacheControl: 'no-cache', body: 'script 2' })
    expect(await textOf(ask('/app.js', { client: 'loaded before the worker' }))).toBe('script 2')
  })
})
