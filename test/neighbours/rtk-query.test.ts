import { configureStore } from '@reduxjs/toolkit'
import { createApi } from '@reduxjs/toolkit/query'
import { expect, test } from 'vitest'
import { baseQueryOver } from '../../demo/recipes/rtk-query.ts'
import { harness } from '../engine/harness.ts'

test('RTK Query: forced refetches ask the origin when the headers say so, mutations invalidate by HTTP and by tag', async () => {
  const { cache, origin, clock } = harness()
  let count = 1
  origin.serves('GET /cart', () => ({ cacheControl: 'max-age=60', etag: `"${count}"`, json: { count } }))
  origin.serves('POST /cart', () => {
    count++
    return { json: {} }
  })
  const api = createApi({
    baseQuery: baseQueryOver(cache, `${origin.url}/`),
    tagTypes: ['cart'],
    endpoints: (build) => ({
      cart: build.query<{ count: number }, void>({ query: () => 'cart', providesTags: ['cart'] }),
      add: build.mutation<unknown, number>({
        query: (body) => ({ url: 'cart', method: 'POST', body: String(body) }),
        invalidatesTags: ['cart'],
      }),
    }),
  })
  const store = configureStore({
    reducer: { [api.reducerPath]: api.reducer },
    middleware: (middleware) => middleware().concat(api.middleware),
  })
  const read = () => store.dispatch(api.endpoints.cart.initiate(undefined, { forceRefetch: true }))
  const shown = () => api.endpoints.cart.select()(store.getState()).data

  await read()
  await read()
  expect(shown()).toEqual({ count: 1 })
  expect(origin.requests).toHaveLength(1)

  await clock.advance(60_000)
  await read()
  expect(origin.requests.at(-1)).toMatchObject({ ifNoneMatch: '"1"' })

  await store.dispatch(api.endpoints.add.initiate(1))
  await expect.poll(shown).toEqual({ count: 2 })
  expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST', 'GET'])
})
