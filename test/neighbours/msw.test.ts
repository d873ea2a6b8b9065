import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { virtualClock } from '../../src/testing/index.ts'

let asked = 0
const server = setupServer(
  http.get('https://shop.test/n', ({ request }) => {
    asked++
    const headers = { 'cache-control': 'max-age=60', etag: '"1"' }
    if (request.headers.get('if-none-match') === '"1"') return new HttpResponse(null, { status: 304, headers })
    return HttpResponse.json({ asked }, { headers })
  }),
)
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterAll(() => server.close())

test('MSW plays the origin of a cache that was made before or after it began', async () => {
  const clock = virtualClock()
  const cache = createCache({ store: 'memory', clock, base: 'https://shop.test/' })
  const first = await cache.json('/n')
  expect(first).toEqual({ asked: 1 })
  expect(await cache.json('/n')).toBe(first)
  expect(asked).toBe(1)
  await clock.advance(60_000)
  expect(await cache.json('/n')).toBe(first)
  expect(asked).toBe(2)
  expect(cache.stats()).toMatchObject({ misses: 1, hits: 1, validated: 1 })
})

test('what MSW notes of the fields of one request is in no other: its Headers keep the list that they were made of', async () => {
  const clock = virtualClock()
  const cache = createCache({ store: 'memory', clock, base: 'https://shop.test/' })
  await cache.json('/n')
  await clock.advance(60_000)
  await cache.json('/n')
  await cache.json('/n')
  expect(cache.stats()).toMatchObject({ misses: 1, hits: 1, validated: 1 })
})
