import { describe, expect, test } from 'vitest'
import { profile, rowsOf } from './database-harness.ts'

const CANARY = 'user-anna'

async function world() {
  const all = await profile()
  all.origin.serves('/*', ({ path, seq }) => ({
    cacheControl: 'max-age=600',
    json: { path, seq, pad: 'x'.repeat(2_000) },
  }))
  const raw = async () =>
    JSON.stringify(await rowsOf(all.database), (_, part) =>
      part instanceof Uint8Array ? new TextDecoder().decode(part) : part,
    )
  return { ...all, raw }
}

describe('whoever was signed in leaves no trace on disk', () => {
  test('not in what says which records were used: it is written with a later transaction', async () => {
    const { open, raw } = await world()
    const first = open({ partition: CANARY }).cache
    await first.json('/a')
    await first.close()
    const { cache } = open({ partition: CANARY })
    await cache.json('/a')
    await cache.setPartition('user-ben')
    await cache.json('/b')
    await cache.settled()
    expect(await raw()).toContain('/b')
    expect(await raw()).not.toContain(CANARY)
  })

  test('nor when another tab has entered another partition in between', async () => {
    const { open, raw } = await world()
    const first = open({ partition: CANARY }).cache
    await first.json('/a')
    await first.close()
    const { cache } = open({ partition: CANARY })
    await cache.json('/a')
    await open().cache.setPartition('user-ben')
    await cache.purge({ tag: 'shelf' })
    expect(await raw()).not.toContain(CANARY)
  })

  test('nor when the database was lost, and began anew for nobody', async () => {
    const { open, raw, database } = await world()
    const first = open({ partition: CANARY }).cache
    await first.json('/a')
    await first.close()
    const { cache } = open({ partition: CANARY })
    await cache.json('/a')
    await database.lose({ forget: true })
    await cache.purge({ tag: 'shelf' })
    expect(await raw()).toContain('shelf')
    expect(await raw()).not.toContain(CANARY)
  })

  test('nor in where the hand of the eviction stands', async () => {
    const { open, raw } = await world()
    const { cache, events } = open({ partition: CANARY, disk: { maxBytes: 40_000 } })
    for (let index = 0; index < 30; index++) await cache.json(`/${index}`)
    await cache.settled()
    expect(events.map(({ type }) => type)).toContain('evicted')
    expect(await raw()).toContain('"hand":["record","user-anna"')
    await cache.setPartition(undefined)
    expect(await raw()).not.toContain(CANARY)
  })
})

test('what is evicted for room while its user signs out is told to nobody', async () => {
  const { open } = await world()
  const { cache, events } = open({ partition: CANARY, disk: { maxBytes: 40_000 } })
  for (let index = 0; index < 12; index++) await cache.json(`/of/${CANARY}/${index}`)
  await cache.settled()
  expect(events.map(({ type }) => type)).not.toContain('evicted')
  for (let index = 12; index < 24; index++) await cache.json(`/of/${CANARY}/${index}`)
  const leaving = cache.setPartition(undefined)
  events.length = 0
  await leaving
  await cache.settled()
  expect(JSON.stringify(events)).not.toContain(CANARY)
})

describe('a sign-out that the disk has held up until somebody else was signed in', () => {
  /** Anna's page has signed out while the disk was ill; Ben's page is signed in so long after, has something, and has asked for more. */
  async function held(afterMs: number) {
    const all = await world()
    let user = CANARY
    let release = () => {}
    all.origin.serves('/me', () => ({ cacheControl: 'private, max-age=600', json: { user } }))
    const { cache: anna, events } = all.open({ partition: CANARY })
    await anna.json('/me')
    await anna.settled()
    await all.database.lose()
    for (let nth = 1; nth <= 2; nth++) all.database.inject({ at: 'open', nth, fault: 'UnknownError' })
    await expect(anna.setPartition(undefined)).rejects.toMatchObject({ code: 'storage' })
    await all.clock.advance(afterMs)
    user = 'user-ben'
    const ben = all.open({
      fetch: async (input, init) => {
        const response = await all.origin.fetch(input, init)
        if (new Request(input).url.endsWith('/late')) await new Promise<void>((resolve) => (release = resolve))
        return response
      },
    })
    await ben.cache.setPartition('user-ben')
    expect(await ben.cache.json('/me')).toEqual({ user: 'user-ben' })
    await ben.cache.settled()
    const late = ben.cache.json('/late', { credentials: 'include' })
    late.catch(() => {})
    await all.clock.settle()
    return { ...all, anna, events, ben, late, release: () => release() }
  }

  test('leaves him alone: it was meant for who was there before, of whom nothing is left (law 5)', async () => {
    const { anna, events, ben, late, release, raw } = await held(1)
    // What failed is tried again before the disk is used.
    await anna.json('/public')
    await anna.settled()
    release()
    await late
    await ben.cache.settled()
    expect(await raw()).toMatch(/user-ben.*late/)
    expect(await raw()).not.toContain(CANARY)
    expect(await raw()).toContain('/public')
    expect([...ben.events, ...events].map(({ type }) => type)).not.toContain('partition-left')
    expect(ben.cache.peek('/me')?.data).toEqual({ user: 'user-ben' })
  })

  test('ends that sitting, too, when both were asked for in one moment: the disk is nobody’s then (law 5)', async () => {
    const { anna, ben, late, release, raw, clock } = await held(0)
    expect(await raw()).toContain('user-ben')
    // What failed is tried again before the disk is used.
    await anna.json('/public')
    await anna.settled()
    expect(await raw()).not.toContain('user-')
    release()
    await Promise.allSettled([late, ben.cache.json('/another')])
    expect(ben.events.map(({ type }) => type)).toContain('partition-left')
    expect(await ben.cache.json('/me')).toEqual({ user: 'user-ben' })
    await ben.cache.settled()
    await clock.settle()
    expect(await raw()).not.toMatch(/user-|late|another/)
    expect(ben.cache.peek('/me')).toBeUndefined()
  })

  test('is not noticed before the disk is: what was signed in keeps what it has until then, and writes nothing', async () => {
    const { anna, ben, late, release, raw } = await held(0)
    await anna.json('/public')
    await anna.settled()
    release()
    // The first thing that reaches the disk is a write.
    await Promise.allSettled([late])
    await ben.cache.settled()
    expect(await raw()).not.toMatch(/user-|late/)
    expect(ben.events.map(({ type }) => type)).toContain('partition-left')
    expect(ben.cache.peek('/me')).toBeUndefined()
  })
})
