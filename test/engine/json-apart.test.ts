import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const schemaOf = <T>(
  validate: StandardSchemaV1<unknown, T>['~standard']['validate'],
): StandardSchemaV1<unknown, T> => ({
  '~standard': { version: 1, vendor: 'test', validate },
})
const piecesOf = (json: string) => () => {
  const bytes = new TextEncoder().encode(json)
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(bytes.slice(at, at + 100))
        at += 100
        if (at >= bytes.length) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

test('json() beside fetch() of a body too large to keep gives the data or fails, never undefined (law 8)', async () => {
  const { cache, origin } = harness({ memory: { maxBytes: 8_000, maxEntryBytes: 1_000 } })
  const data = { list: 'x'.repeat(3_000) }
  const body = piecesOf(JSON.stringify(data))
  origin.serves('/a', () => ({
    cacheControl: 'max-age=60',
    headers: { 'content-type': 'application/json' },
    body: body(),
  }))
  const read = text(cache.fetch('/a'))
  const parsed = cache.json('/a').catch((error: unknown) => error)
  expect((await read).length).toBe(JSON.stringify(data).length)
  const got = await parsed
  expect(got instanceof TypeError ? data : got).toEqual(data)
})

test('those who ask at the same moment for what is stored get one reference, with a schema that transforms', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { at: 1 } })
  await text(cache.fetch('/a'))
  const schema = schemaOf((value) => ({ value: { of: value } }))
  const [one, other] = await Promise.all([cache.json('/a', { schema }), cache.json('/a', { schema })])
  expect(one).toBe(other)
})

test('what a refresh behind brings and the schema refuses is not stored over the good one (DESIGN §9)', async () => {
  const { cache, origin, clock } = harness()
  const schema = schemaOf<{ good: boolean }>((value) =>
    (value as { good?: boolean }).good ? { value: value as { good: boolean } } : { issues: [{ message: 'not good' }] },
  )
  origin.serves('/a', {
    cacheControl: 'max-age=5, stale-while-revalidate=600, stale-if-error=600',
    json: { good: true },
  })
  await cache.json('/a', { schema })
  await clock.advance(6_000)
  origin.serves('/a', {
    cacheControl: 'max-age=5, stale-while-revalidate=600, stale-if-error=600',
    json: { message: 'maintenance' },
  })
  expect(await cache.json('/a', { schema })).toEqual({ good: true })
  await cache.settled()
  expect(await cache.json('/a', { schema })).toEqual({ good: true })
})

test('a schema of one caller that takes its time changes nothing for another one (law 8)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
  const controller = new AbortController()
  const never = schemaOf(() => new Promise<never>(() => {}))
  cache.json('/a', { schema: never, signal: controller.signal }).catch(() => {})
  let body: unknown
  text(cache.fetch('/a')).then((got) => {
    body = got
  })
  await clock.advance(60_000)
  expect.soft(body).toBe('{"a":1}')
  controller.abort()
  await clock.settle()
  let later: unknown
  text(cache.fetch('/a')).then((got) => {
    later = got
  })
  await clock.advance(60_000)
  expect(later).toBe('{"a":1}')
})

test('a schema that reads the same URL does not lock it up (F-47)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
  const schema = schemaOf(async (value) => ({ value: [value, await cache.json('/a')] }))
  let got: unknown
  cache.json('/a', { schema }).then((data) => {
    got = data
  })
  await clock.advance(60_000)
  expect(got).toEqual([{ a: 1 }, { a: 1 }])
})

test('a body is parsed once (json(), and what is stored)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { once: true } })
  const original = JSON.parse
  let parsed = 0
  JSON.parse = (source, ...rest) => {
    if (source === '{"once":true}') parsed++
    return original(source, ...rest)
  }
  try {
    await cache.json('/a')
    await cache.json('/a')
  } finally {
    JSON.parse = original
  }
  expect(parsed).toBe(1)
})

test('an update that is in front of one variant stays when another one is stored', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', ({ headers }) => ({
    cacheControl: 'max-age=60',
    vary: 'x-view',
    json: { view: headers['x-view'] ?? 'none' },
  }))
  await cache.json('/a')
  cache.update('/a', () => ({ view: 'mine' }))
  await cache.json('/a', { headers: { 'x-view': 'list' } })
  await clock.settle()
  expect(cache.peek('/a')?.data).toEqual({ view: 'mine' })
})

test('a roll-back under a later change that no longer fits takes the change away, and does not throw', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: {} })
  await cache.json('/a')
  const first = cache.update<{ list?: number[] }>('/a', (data) => ({ ...data, list: [1] }))
  cache.update<{ list: number[] }>('/a', (data) => ({ ...data, list: [...data.list, 2] }))
  expect(cache.peek('/a')?.data).toEqual({ list: [1, 2] })
  let thrown: unknown
  try {
    first.rollback()
  } catch (error) {
    thrown = error
  }
  expect.soft(thrown).toBeUndefined()
  expect(cache.peek<{ list?: number[] }>('/a')?.data.list ?? []).not.toContain(1)
})
