import { describe, expect, inject, test } from 'vitest'
import { seqOf, visit } from './site-visit.ts'

// The file that `nearcache sw` writes, in all three engines: served as it is, installed by its address alone, told by its JSON.

/** What each opaque response counts for. */
const OPAQUE_BYTES = 7 * 2 ** 20
/** A slow machine is waited for; a disk that hangs is not, as Firefox's does now and then in a frame that is new. */
const deadlines = { diskMs: 5_000 }

describe('the ready-made worker', { timeout: 60_000 }, () => {
  test('obeys its configuration: pages from the network first, asked for ahead, and a fallback page when there is none', async () => {
    const { call, go, requests, stop, write } = await visit()
    await write(['--claim'], {
      deadlines,
      routes: [{ kind: 'navigation', strategy: 'network-first', fallback: '/offline.html' }],
    })
    await call('registerFile', '/nearcache-sw.js')
    await go('/page/2')
    await go('/page/2')
    const [first, ...more] = await requests('/page/2')
    // What the browser asked ahead and has from its own cache, or of an older date, is not believed: then the origin is asked itself.
    expect(more.length).toBeLessThan(4)
    expect(first?.headers['service-worker-navigation-preload']).toBe((await call('hasPreload')) ? 'true' : undefined)
    await stop()
    await go('/page/2')
    expect(await call('shown')).toBe('/page/2')
    await go('/never/seen')
    expect(await call('shown')).toBe('/offline.html')
    expect(await call('isControlled')).toBe(true)
  })

  test('leaves to the network what is excluded, on the command line or in the file', async () => {
    const { call, requests, write } = await visit()
    await write(['--claim', '--exclude', '/api/live/*'], {
      deadlines,
      routes: [{ match: '/api/own/*', strategy: 'network' }],
    })
    await call('registerFile', '/nearcache-sw.js')
    for (const path of ['/api/live/a', '/api/own/a', '/api/else/a']) {
      const answers = [await call('plain', path, { cache: 'reload' }), await call('plain', path, { cache: 'reload' })]
      const isOurs = path === '/api/else/a'
      expect(answers.map(({ cacheStatus }) => cacheStatus !== null)).toEqual([isOurs, isOurs])
      expect(await requests(path)).toHaveLength(2)
    }
  })

  test('keeps opaque responses of another origin by a route alone, for its lifetime, within a budget in which each counts 7 MiB', async () => {
    const { call, write } = await visit()
    const other = `${inject('origin')}/opaque/${crypto.randomUUID()}`
    await write(['--claim'], {
      name: 'pictures',
      deadlines,
      routes: [{ match: `${other}/*`, opaque: true, maxAgeMs: 600_000 }],
      opaque: { maxBytes: 2 * OPAQUE_BYTES },
    })
    await call('registerFile', '/nearcache-sw.js')
    const see = async (name: string) => {
      await call('plain', `${other}/${name}`, { mode: 'no-cors', cache: 'reload' })
      await call('plain', `${other}/${name}`, { mode: 'no-cors' })
    }
    const askedFor = async (name: string) => {
      const path = encodeURIComponent(`${other}/${name}`.slice(inject('origin').length))
      return (await (await fetch(`${inject('origin')}/received?url=${path}`)).json()).length
    }
    await see('one')
    await expect.poll(() => call('held', 'pictures-opaque')).toContain(`${other}/one`)
    expect(await askedFor('one')).toBe(1)
    for (const name of ['two', 'three']) {
      await see(name)
      await expect.poll(() => call('held', 'pictures-opaque')).toContain(`${other}/${name}`)
    }
    const held = (await call('held', 'pictures-opaque')).filter((url) => url.startsWith(other))
    expect(held.sort()).toEqual([`${other}/three`, `${other}/two`])
  })

  test('gives films and sounds in parts from the whole, without a network (RFC 9110 section 14.2)', async () => {
    const { call, stop, write } = await visit()
    const without = await call('sound', '/silence.wav')
    await write(['--claim'], { deadlines })
    await call('registerFile', '/nearcache-sw.js')
    const whole = await call('plain', '/silence.wav?2')
    await stop()
    const part = await call('plain', '/silence.wav?2', { headers: { range: 'bytes=0-3' } })
    expect([part.status, part.text]).toEqual([206, 'RIFF'])
    expect(part.cacheStatus).toContain('hit')
    expect(whole.status).toBe(200)
    // What the engine can play it plays from the store, too; WebKit even where the origin knows no ranges.
    expect([1, without]).toContain(await call('sound', '/silence.wav?2'))
  })
})

test('an app shell gives its page parts of films, files whose address the page spells in another way, and what its workers ask for, without a network', {
  timeout: 60_000,
}, async () => {
  const { call, go, stop, write } = await visit()
  const files = ['/page/2', '/silence.wav', '/api/icon%402x', '/asking.js'].map((url) => ({ url }))
  await write(['--claim'], { deadlines, shell: { version: '1', files } })
  await call('registerFile', '/nearcache-sw.js')
  await go('/page/2')
  await stop()
  const part = await call('plain', '/silence.wav', { headers: { range: 'bytes=0-3' } })
  expect([part.status, part.text]).toEqual([206, 'RIFF'])
  expect((await call('plain', '/api/icon@2x')).status).toBe(200)
  expect(await call('inWorker', '/api/icon@2x')).toBe(200)
})

test('the worker that --kill writes takes its place, and leaves neither a worker nor a cache nor a database', {
  timeout: 60_000,
}, async () => {
  const { call, reload, write } = await visit()
  await write(['--claim'], {
    name: 'gone',
    deadlines,
    routes: [
      { match: `${inject('origin')}/*`, opaque: true },
      { kind: 'navigation', fallback: '/offline.html' },
    ],
  })
  await call('registerFile', '/nearcache-sw.js')
  const first = seqOf(await call('plain', '/api/a'))
  expect(seqOf(await call('plain', '/api/a'))).toBe(first)
  await call('plain', `${inject('origin')}/opaque/${crypto.randomUUID()}`, { mode: 'no-cors' })
  await expect
    .poll(() => call('left').then(({ caches }) => caches.map((name) => name.replace(/-shell-.*/, '-shell')).sort()))
    .toEqual(expect.arrayContaining(['gone-opaque', 'gone-shell']))
  await expect.poll(() => call('hasDatabase', 'gone')).toBe(true)
  // The page has none of its own; a database that a page holds open goes with the page.
  await call('close')
  await write(['--kill'], { name: 'gone' })
  await call('update')
  await expect
    .poll(() => call('left').then(({ workers, caches }) => [workers, caches]), { timeout: 20_000 })
    .toEqual([0, []])
  await reload()
  expect(await call('isControlled')).toBe(false)
  await expect.poll(() => call('hasDatabase', 'gone')).toBe(false)
  expect((await call('plain', '/api/a')).cacheStatus).toBeNull()
})
