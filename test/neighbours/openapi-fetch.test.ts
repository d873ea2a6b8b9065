import { expect, test } from 'vitest'
import { clientOver } from '../../demo/recipes/openapi-fetch.ts'
import { harness } from '../engine/harness.ts'

/** As openapi-typescript makes it of a description. */
interface Paths {
  '/products/{id}': {
    get: {
      parameters: { path: { id: number } }
      responses: { 200: { content: { 'application/json': { name: string } } } }
    }
  }
}

test('openapi-fetch: typed reads are cached by their URL, and the origin is asked when the headers say so', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/products/*', ({ path }) => ({ cacheControl: 'max-age=60', etag: '"1"', json: { name: path } }))
  const api = clientOver<Paths>(cache, origin.url)
  const read = (id: number) => api.GET('/products/{id}', { params: { path: { id } } })
  const all = await Promise.all([read(1), read(1), read(2)])
  expect(all.map(({ data }) => data?.name)).toEqual(['/products/1', '/products/1', '/products/2'])
  expect(origin.requests).toHaveLength(2)
  await clock.advance(60_000)
  const { response } = await read(1)
  expect(response.headers.get('cache-status')).toContain('validated')
  expect(origin.requests).toHaveLength(3)
})
