import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BenchOrigin, startOrigin } from '../origin.ts'
import { bodyAt, pathOf, sizes } from '../sample.ts'
import { axiosCacheInterceptor } from './axios-cache-interceptor.ts'
import { bareMap, plainFetch } from './bare.ts'
import { cachifiedOnMap } from './cachified.ts'
import { makeFetchHappen } from './make-fetch-happen.ts'
import { nearcacheFetch, nearcacheJson } from './nearcache.ts'
import { tanstackQuery } from './tanstack-query.ts'
import { undiciCache } from './undici.ts'

let origin: BenchOrigin
beforeAll(async () => {
  origin = await startOrigin()
})
afterAll(() => origin.close())

const caches = [
  bareMap,
  nearcacheFetch,
  nearcacheJson,
  tanstackQuery,
  cachifiedOnMap,
  axiosCacheInterceptor,
  undiciCache,
  makeFetchHappen,
]

test.each(caches)('$name asks the origin once, and gives what it said', async ({ name, docs, open }) => {
  const path = pathOf(1, name.replaceAll(/\W/g, ''))
  const { read, close } = await open({ url: origin.url, fetch })
  for (let time = 0; time < 3; time++)
    expect(await read(origin.url + path)).toEqual(JSON.parse(new TextDecoder().decode(bodyAt(path))))
  expect(origin.asked.get(path)).toBe(1)
  expect(docs).toMatch(/^https:|^README/)
  await close?.()
})

test('no cache asks each time', async () => {
  const { read } = await plainFetch.open({ url: origin.url, fetch })
  for (let time = 0; time < 3; time++) await read(origin.url + pathOf(1, 'none'))
  expect(origin.asked.get(pathOf(1, 'none'))).toBe(3)
})

test.each(sizes)('a body of %d KB is about as large as that', (size) => {
  expect(bodyAt(pathOf(size)).byteLength / 1000 / size).toBeCloseTo(1, 0.5)
})
