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
