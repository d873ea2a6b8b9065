// Bundled for a page of Chromium and called by `npm run bench`; see in-chromium.ts.
import { createCache } from 'nearcache'
import { measure, timed } from './measure.ts'
import { fillNearcache } from './stored-in-page.ts'

const name = 'bench growth'
const urlOf = (index: number): string => new URL(`/stored/${index}`, location.href).href
const open = () => createCache({ name, disk: { maxBytes: 2 ** 31 } })

/** Stores so many responses under one tag. */
export const fill = (count: number): Promise<void> =>
  fillNearcache(
    name,
    Array.from({ length: count }, (_, index) => urlOf(index)),
    { body: new Uint8Array(1), tags: ['all'] },
  )

/** The first answer of a page that has asked for nothing yet, in milliseconds. */
export async function start(count: number): Promise<number> {
  const cache = open()
  const took = await timed(async () => (await cache.fetch(urlOf(count - 1))).text())
  if (cache.stats().hits !== 1) throw new Error(`not stored: ${JSON.stringify(cache.stats())}`)
  await cache.close()
  return took
}

/** Hits from memory, and writes until they are on disk, in microseconds; purges of the tag that all carry, until they are on disk, in milliseconds. */
export async function costs(count: number, rounds: number) {
  const cache = open()
  const last = urlOf(count - 1)
  await (await cache.fetch(last)).text()
  const { hit = [] } = await measure([{ name: 'hit', run: () => cache.fetch(last) }], 5)
  const write: number[] = []
  for (let round = 0; round < rounds; round++)
    write.push(
      await timed(async () => {
        await (await cache.fetch(`/product/1/growth-${round % 5}`, { cache: 'reload' })).text()
        await cache.settled()
      }),
    )
  const purge: number[] = []
  for (let round = 0; round < rounds; round++) {
    purge.push(
      await timed(async () => {
        const { durable } = await cache.purge({ tag: 'all' })
        if (!durable) throw new Error('not on disk')
      }),
    )
    if (!(await cache.explain(last)).purge) throw new Error('not purged')
  }
  await cache.close()
  return { hit, write, purge }
}
