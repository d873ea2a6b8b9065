import { describe, expect, test } from 'vitest'
import type { CacheOptions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { gatedStore } from './gated-store.ts'
import { causes, harness } from './harness.ts'

/** A durable store whose raw content a test may search. */
function searchable() {
  const store = createMemoryStore({ maxBytes: 1e6, maxEntryBytes: 1e6, incarnation: 'disk', onNotice: () => {} })
  const dump = () =>
    JSON.stringify(
      ['', 'anna', 'ben'].flatMap((partition) => store.records(partition)),
      (_, part: unknown) => (part instanceof Uint8Array ? new TextDecoder().decode(part) : part),
    )
  return { store, dump }
}

/** An origin that tells everyone who asks who they are. */
function world(options: CacheOptions = {}) {
  const disk = searchable()
  const all = harness({ store: disk.store, ...options })
  let user = 'anna'
  all.origin.serves('/me', () => ({ cacheControl: 'private, max-age=600', etag: `"${user}"`, json: { user } }))
  return {
    ...all,
    disk,
    signIn(name: string) {
      user = name
    },
  }
}

describe('within a partition', () => {
  test('what is private lies on disk too, and is there after a reload', async () => {
    const { cache, disk } = world({ partition: 'anna' })
    expect(await cache.json('/me')).toEqual({ user: 'anna' })
    await cache.close()
    expect(disk.dump()).toContain('anna')
    const again = harness({ store: disk.store, partition: 'anna' })
    expect(await again.cache.json('/me')).toEqual({ user: 'anna' })
    expect(again.origin.requests).toEqual([])
  })

  test('entering the one that is entered already changes nothing', async () => {
    const { cache, origin } = world({ partition: 'anna' })
    await cache.json('/me')
    expect(await cache.setPartition('anna')).toMatchObject({ memoryBytes: 0 })
    await cache.json('/me')
    expect(origin.requests).toHaveLength(1)
  })
})

describe('from one user to the next', () => {
  test('nothing of the first is answered, shown, told or kept, and the receipt says what was removed', async () => {
    const { cache, origin, disk, signIn, events } = world({ partition: 'anna' })
    await cache.json('/me')
    cache.update<{ user: string }>('/me', (me) => ({ ...me, nick: 'canary' }))
    await cache.settled()
    signIn('ben')
    const { memoryBytes, disk: removed } = await cache.setPartition('ben')
    expect(memoryBytes).toBeGreaterThan(0)
    expect(removed).toMatchObject({ records: 1 })
    expect(removed?.bytes).toBeGreaterThan(0)
    expect(disk.dump()).not.toContain('anna')
    expect(cache.peek('/me')).toBeUndefined()
    expect((await cache.explain('/me')).candidates).toEqual([])
    expect((await cache.dehydrate(() => true)).responses).toEqual([])
    expect(await cache.json('/me')).toEqual({ user: 'ben' })
    expect(origin.requests).toHaveLength(2)
    expect(origin.requests[1]?.ifNoneMatch).toBeUndefined()
    expect(events.some(({ type }) => type === 'partition-entered')).toBe(true)
  })

  test('from the call on: before the promise resolves nothing of the first is at hand', async () => {
    const { cache, signIn } = world({ partition: 'anna' })
    await cache.json('/me')
    signIn('ben')
    const entering = cache.setPartition('ben')
    expect(cache.peek('/me')).toBeUndefined()
    expect(await cache.json('/me')).toEqual({ user: 'ben' })
    await entering
  })

  test('what is in flight ends with an AbortError, and is stored nowhere (FAULTS F-62)', async () => {
    const { cache, origin, disk, signIn } = world({ partition: 'anna' })
    const hold = origin.hold('/me', 'body')
    const [reading, whole] = [cache.json('/me'), cache.fetch('/me').then((response) => response.text())]
    await cache.explain('/other')
    signIn('ben')
    await cache.setPartition('ben')
    hold.release()
    await expect(reading).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    await expect(whole).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    await cache.settled()
    expect(disk.dump()).not.toContain('anna')
    expect(cache.stats().memoryBytes).toBe(0)
    expect(await cache.json('/me')).toEqual({ user: 'ben' })
  })

  test('a transport that knows no abort cannot bring the first one back', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const disk = searchable()
    const answer = () => new Response('{"user":"anna"}', { headers: { 'cache-control': 'max-age=600' } })
    const { cache } = harness({ store: disk.store, partition: 'anna', fetch: () => held.then(answer) })
    const [json, fetched] = [cache.json('/me'), cache.fetch('/me')]
    await cache.setPartition('ben')
    release()
    for (const work of [json, fetched])
      await expect(work).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    await cache.settled()
    expect(disk.dump()).not.toContain('anna')
    expect(cache.stats().memoryBytes).toBe(0)
  })

  test('a read of the disk that is under way gives nothing to the next one', async () => {
    let release = () => {}
    let isHeld = false
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const store = gatedStore((point) => (point === 'read' && isHeld ? gate : Promise.resolve()))
    const first = harness({ store, partition: 'anna', deadlines: { diskMs: 1_000 } })
    first.origin.serves('/me', { cacheControl: 'max-age=600', json: 'anna' })
    await first.cache.json('/me')
    await first.cache.close()
    const { cache, origin } = harness({ store, partition: 'anna', deadlines: { diskMs: 1_000 } })
    origin.serves('/me', { cacheControl: 'max-age=600', json: 'ben' })
    isHeld = true
    const reading = cache.json('/me')
    await cache.setPartition('ben')
    isHeld = false
    release()
    await expect(reading).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    expect(await cache.json('/me')).toBe('ben')
  })

  test('an unsafe request that was on its way ends as it ends: it was never the cache’s', async () => {
    const { cache, origin } = world({ partition: 'anna' })
    origin.serves('POST /me', { status: 200, body: 'done' })
    const hold = origin.hold('POST /me')
    const posting = cache.fetch('/me', { method: 'POST' })
    await cache.setPartition(undefined)
    hold.release()
    expect(await (await posting).text()).toBe('done')
  })

  test('there and back again at once, with the same URL: each has its own (FAULTS F-64)', async () => {
    const { cache, signIn } = world({ partition: 'anna' })
    await cache.json('/me')
    const switches: Promise<unknown>[] = []
    for (const name of ['ben', 'anna', 'ben', 'anna', 'ben']) {
      signIn(name)
      switches.push(cache.setPartition(name))
    }
    expect(await cache.json('/me')).toEqual({ user: 'ben' })
    await Promise.all(switches)
    expect(await cache.json('/me')).toEqual({ user: 'ben' })
  })
})

describe('signing out', () => {
  test('what anyone may see stays as far as it was stored without a partition; what is one user’s is gone', async () => {
    const disk = searchable()
    const { cache, origin } = harness({ store: disk.store })
    origin.serves('/all', { cacheControl: 'max-age=600', json: 'everyone' })
    origin.serves('/me', { cacheControl: 'max-age=600', json: 'anna' })
    await cache.json('/all')
    await cache.setPartition('anna')
    await cache.json('/me')
    await cache.settled()
    expect((await cache.setPartition(undefined)).disk).toMatchObject({ records: 1 })
    expect(disk.dump()).not.toContain('anna')
    expect(await cache.json('/all')).toBe('everyone')
    expect(origin.requests.map(({ path }) => path)).toEqual(['/all', '/me'])
  })

  test('in a context that never had a partition it removes what another session has left behind', async () => {
    const { cache, disk } = world({ partition: 'anna' })
    await cache.json('/me')
    await cache.close()
    const next = harness({ store: disk.store })
    next.origin.serves('/me', { json: 'nobody' })
    expect(await next.cache.json('/me')).toBe('nobody')
    expect(disk.dump()).toContain('anna')
    await next.cache.setPartition(undefined)
    expect(disk.dump()).not.toContain('anna')
  })

  test('without a disk the receipt speaks of memory alone', async () => {
    const { cache } = world({ store: 'memory', partition: 'anna' })
    await cache.json('/me')
    const receipt = await cache.setPartition(undefined)
    expect(receipt).toEqual({ memoryBytes: expect.any(Number) })
    expect(receipt.memoryBytes).toBeGreaterThan(0)
  })
})

describe('another context on the same disk enters another partition', () => {
  test('this one is left: memory is dropped, everyone is told, and everything bypasses until it enters one too', async () => {
    const { cache, disk, origin, signIn, events } = world({ partition: 'anna' })
    await cache.json('/me')
    await cache.settled()
    const told: string[] = []
    cache.subscribe('/me', ({ type }) => told.push(type))
    await disk.store.enter?.('ben')
    signIn('ben')
    origin.serves('/first-look-at-the-disk', { cacheControl: 'max-age=600', body: 'x' })
    await (await cache.fetch('/first-look-at-the-disk')).text().catch(() => {})
    expect(events.map(({ type }) => type)).toContain('partition-left')
    expect(told).toContain('partition-left')
    expect(cache.peek('/me')).toBeUndefined()
    for (let turn = 0; turn < 2; turn++) expect(await cache.json('/me')).toEqual({ user: 'ben' })
    expect(causes(events).slice(-2)).toEqual(['bypass', 'bypass'])
    expect(disk.dump()).not.toContain('ben"}')
    await cache.setPartition('ben')
    for (let turn = 0; turn < 2; turn++) expect(await cache.json('/me')).toEqual({ user: 'ben' })
    expect(causes(events).slice(-2)).toEqual(['miss', 'fresh'])
  })

  test('a context without a partition goes on: what it has is nobody’s', async () => {
    const disk = searchable()
    const { cache, origin } = harness({ store: disk.store })
    origin.serves('/all', { cacheControl: 'max-age=600', body: 'everyone' })
    await (await cache.fetch('/all')).text()
    await disk.store.enter?.('ben')
    expect(await (await cache.fetch('/all')).text()).toBe('everyone')
    await cache.settled()
    expect(origin.requests).toHaveLength(1)
  })
})

describe('the disk fails', () => {
  test('setPartition rejects and says what to do; nothing of the disk is used until it could be emptied (FAULTS F-63)', async () => {
    const { cache, disk, origin, signIn } = world({ partition: 'anna' })
    await cache.json('/me')
    await cache.settled()
    const enter = disk.store.enter
    Object.assign(disk.store, { enter: () => Promise.reject(new Error('no disk')) })
    signIn('ben')
    await expect(cache.setPartition('ben')).rejects.toMatchObject({ code: 'storage', cause: { message: 'no disk' } })
    for (let turn = 0; turn < 2; turn++) expect(await cache.json('/me')).toEqual({ user: 'ben' })
    expect(origin.requests).toHaveLength(2)
    await cache.settled()
    expect(disk.dump()).not.toContain('{"user":"ben"}')
    Object.assign(disk.store, { enter })
    expect((await cache.setPartition('ben')).disk).toMatchObject({ records: 1 })
    expect(disk.dump()).not.toContain('anna')
  })

  test('a database that was lost and began anew is entered again before it is written to', async () => {
    const disk = searchable()
    const reborn = searchable()
    let current = disk.store
    const store = {
      read: (...given: Parameters<typeof current.read>) => current.read(...given),
      update: (...given: Parameters<typeof current.update>) => current.update(...given),
      enter: (partition: string) => current.enter?.(partition) as never,
    }
    const { cache, origin } = harness({ store, partition: 'anna' })
    origin.serves('/*', { cacheControl: 'max-age=600', body: 'anna' })
    await (await cache.fetch('/1')).text()
    await cache.settled()
    current = reborn.store
    for (const path of ['/2', '/3', '/4']) {
      await (await cache.fetch(path)).text()
      await cache.settled()
    }
    expect((await reborn.store.read([])).partition).toBe('anna')
    expect(reborn.dump()).toContain('/4')
  })
})

describe('a purge of one partition', () => {
  test('forgets everything in it, and nothing of what is everyone’s', async () => {
    const { cache, origin } = world({ partition: 'anna' })
    await cache.json('/me')
    await cache.purge({ partition: 'someone else' }, { mode: 'hard' })
    expect(cache.peek('/me')).toBeDefined()
    await cache.purge({ partition: 'anna' }, { mode: 'hard' })
    expect(cache.peek('/me')).toBeUndefined()
    await cache.json('/me')
    expect(origin.requests).toHaveLength(2)
  })
})

test('a partition that is no string is refused with what is allowed', async () => {
  const { cache } = world()
  await expect(cache.setPartition(7 as never)).rejects.toThrow(/setPartition\(\) takes a string or undefined, not 7/)
})
