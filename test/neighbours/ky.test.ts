import { expect, test } from 'vitest'
import { kyOver } from '../../demo/recipes/ky.ts'
import { harness } from '../engine/harness.ts'

test('ky: reads are shared and cached, retries and writes reach the origin', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: 1 })
  const api = kyOver(cache, origin.url)
  expect(await Promise.all([api('a').json(), api.get('a').json(), api('a').json()])).toEqual([1, 1, 1])
  expect(await api('a', { searchParams: {} }).json()).toBe(1)
  expect(origin.requests).toHaveLength(1)
  await clock.advance(60_000)
  await api('a').json()
  origin.serves('POST /a', { json: {} })
  await api.post('a', { json: { by: 1 } })
  await api('a').json()
  expect(origin.requests.map(({ method, body }) => [method, body])).toEqual([
    ['GET', undefined],
    ['GET', undefined],
    ['POST', '{"by":1}'],
    ['GET', undefined],
  ])
  origin.serves('/gone', { status: 404, cacheControl: 'max-age=60' })
  for (let time = 0; time < 2; time++) await expect(api('gone').json()).rejects.toThrow('404')
  expect(origin.requests.filter(({ path }) => path === '/gone')).toHaveLength(1)
})
