import { expect, test } from 'vitest'
import { axiosOver } from '../../demo/recipes/axios.ts'
import { harness } from '../engine/harness.ts'

test('axios by its fetch adapter: reads are cached, writes invalidate, an abort is its own error', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('GET /a', { cacheControl: 'max-age=60', etag: '"1"', json: { n: 1 } })
  origin.serves('POST /a', { json: {} })
  const api = axiosOver(cache, origin.url)
  const read = async () => (await api.get<{ n: number }>('/a')).data.n
  expect(await Promise.all([read(), read(), read()])).toEqual([1, 1, 1])
  expect(origin.requests).toHaveLength(1)
  await clock.advance(60_000)
  const validated = await api.get('/a')
  expect(validated.status).toBe(200)
  expect(validated.headers['cache-status']).toContain('validated')
  await api.post('/a', { n: 2 })
  await read()
  expect(origin.requests.map(({ method, ifNoneMatch }) => [method, ifNoneMatch])).toEqual([
    ['GET', undefined],
    ['GET', '"1"'],
    ['POST', undefined],
    ['GET', '"1"'],
  ])

  origin.serves('/slow', { json: 1 })
  origin.hold('/slow')
  const controller = new AbortController()
  const reading = api.get('/slow', { signal: controller.signal })
  await clock.settle()
  controller.abort()
  await expect(reading).rejects.toMatchObject({ code: 'ERR_CANCELED' })
})
