import { causes, harness } from './harness.ts'

/** The engine's main paths, once each; gives why each request was answered as it was. */
export async function mainPaths(): Promise<readonly string[]> {
  const { cache, origin, clock, events } = harness()
  const cacheControl = 'max-age=60, stale-while-revalidate=60, stale-if-error=600'
  origin.serves('/a', { cacheControl, etag: '"v1"', vary: 'Accept', tags: ['x'], json: { list: [1, { two: 2 }] } })
  const read = () => cache.json('/a')
  await read() // miss
  await (await cache.fetch('/a')).text() // fresh
  await cache.fetch('/a', { method: 'HEAD' }) // fresh
  await cache.fetch('/a', { headers: { range: 'bytes=0-3' } }) // fresh
  await clock.advance(60_000)
  await read() // stale-while-revalidate
  await cache.settled()
  await clock.advance(121_000)
  await read() // validated
  await cache.purge({ tag: 'x' })
  await read() // stale-while-revalidate or validated
  await cache.settled()
  await cache.fetch('/a', { method: 'POST' }) // method
  await read() // validated
  await clock.advance(200_000)
  origin.serves('/a', { status: 503 })
  await read() // stale-if-error
  cache.update('/a', (data) => data).rollback()
  cache.hydrate(JSON.parse(JSON.stringify(await cache.dehydrate())))
  await cache.settled()
  await cache.close()
  return causes(events)
}
