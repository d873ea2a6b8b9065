import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { harness } from './harness.ts'

const diskOf = () => createMemoryStore({ maxBytes: 1e6, maxEntryBytes: 1e6, incarnation: 'disk', onNotice: () => {} })

/** A transport that knows nothing of signals, and waits before the head and before the end of each response. */
function stubborn() {
  const waiting: Array<() => void> = []
  const step = () => new Promise<void>((resolve) => waiting.push(resolve))
  const sent: string[] = []
  const fetch = async (input: RequestInfo | URL) => {
    const { pathname } = new URL(new Request(input).url)
    sent.push(pathname)
    await step()
    const parts = ['"the data ', 'of anna"'].map((part) => new TextEncoder().encode(part))
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (parts.length < 2) await step()
          controller.enqueue(parts.shift() as Uint8Array)
          if (parts.length === 0) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body, { headers: { 'cache-control': 'private, max-age=600' } })
  }
  const release = () => {
    for (const go of waiting.splice(0)) go()
  }
  return { fetch, sent, release }
}

describe('with a transport that knows nothing of signals', () => {
  test('a body whose head comes after sign-out is not waited for, and not read (FAULTS F-62)', async () => {
    const { fetch, release } = stubborn()
    const { cache, clock } = harness({ fetch, partition: 'anna' })
    const [parsed, asked] = [cache.json('/me'), cache.fetch('/me')]
    await clock.settle()
    await cache.setPartition(undefined)
    release()
    for (const work of [parsed, asked])
      await expect(work).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  })

  test('a body under way ends at sign-out for whoever reads it (FAULTS F-62)', async () => {
    const { fetch, release } = stubborn()
    const { cache, clock } = harness({ fetch, partition: 'anna' })
    const asked = cache.fetch('/me')
    await clock.settle()
    release()
    const body = (await asked).text()
    await clock.settle()
    await cache.setPartition(undefined)
    release()
    await expect(body).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  })

  test('what has not been sent yet is not sent any more', async () => {
    const { fetch, sent } = stubborn()
    const { cache, clock } = harness({ fetch, store: diskOf(), partition: 'anna' })
    const asked = cache.json('/of/anna', { headers: { authorization: 'Bearer anna' } })
    await cache.setPartition(undefined)
    await expect(asked).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    await clock.settle()
    expect(sent).toEqual([])
  })

  test('what was asked for in a partition that another context ended is not asked for again in the next one', async () => {
    const { fetch, sent, release } = stubborn()
    const store = diskOf()
    const { cache, clock, events } = harness({ fetch, store, partition: 'anna' })
    await cache.explain('/of/anna')
    const asked = cache.json('/of/anna')
    await clock.settle()
    await store.enter?.('ben')
    await cache.explain('/another')
    expect(events.map(({ type }) => type)).toEqual(['partition-left'])
    await cache.setPartition('ben')
    events.length = 0
    release()
    await expect(asked).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    await clock.settle()
    expect(sent).toEqual(['/of/anna'])
    expect(events).toEqual([])
  })
})

test('who enters anew the partition that it is in finds the disk in it, whoever was there meanwhile', async () => {
  const store = diskOf()
  const [one, other] = [harness({ store, partition: 'anna' }), harness({ store })]
  for (const { origin } of [one, other]) origin.serves('/*', { cacheControl: 'private, max-age=600', json: 'data' })
  await one.cache.json('/me')
  await one.cache.settled()
  await other.cache.setPartition('ben')
  await other.cache.json('/me')
  await other.cache.settled()
  expect((await one.cache.setPartition('anna')).disk).toMatchObject({ records: 1 })
  expect(store.records('ben')).toEqual([])
  await one.cache.json('/another')
  await one.cache.settled()
  expect(store.records('anna')).toHaveLength(1)
  expect(one.events.map(({ type }) => type)).not.toContain('partition-left')
})

test('when a listener signs out, the others hear no more of what it heard', async () => {
  const { cache, origin } = harness({ partition: 'anna' })
  origin.serves('/of/anna', { cacheControl: 'private, max-age=600', json: 'data' })
  const heard: string[] = []
  cache.subscribe('/of/anna', ({ type }) => heard.push(type))
  cache.on(({ type }) => type === 'stored' && cache.setPartition(undefined))
  cache.on(({ type }) => heard.push(type))
  await expect(cache.json('/of/anna')).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  expect(heard).toEqual(['partition-entered', 'partition-entered'])
})

test('who takes an optimistic change back after sign-out is not shown the data again', async () => {
  const { cache, origin } = harness({ partition: 'anna' })
  origin.serves('/me', { cacheControl: 'private, max-age=600', json: ['anna'] })
  await cache.json('/me')
  const shown: unknown[] = []
  const add = (one: string) => (data: string[]) => {
    shown.push(data)
    return [...data, one]
  }
  const [first] = [cache.update('/me', add('1')), cache.update('/me', add('2'))]
  await cache.setPartition('ben')
  shown.length = 0
  first.rollback()
  expect(shown).toEqual([])
})
