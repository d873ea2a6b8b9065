import { describe, expect, test } from 'vitest'
import { visit } from '../service-worker/site-visit.ts'

// Real cookies of a real server, in every engine: no script sees them come and go.

/** Fresh, fresh for one user, and stale but good enough when the origin is down. */
const PATHS = ['max-age=600', 'private, max-age=600', 'private, max-age=0, stale-if-error=600'].map(
  (cacheControl) => `/me?cc=${encodeURIComponent(cacheControl)}`,
)
const [FRESH = ''] = PATHS
/** At once, and each way it is asked for. */
const ANNAS = Array(5).fill(expect.stringContaining('"anna"'))
const signIn = (as: string, clear = '') => `/sign-in?as=${as}${clear && `&clear=${encodeURIComponent(clear)}`}`

/** Two tabs of a site, which have read what is Anna's. */
async function annasTabs(partition?: string) {
  const site = await visit()
  const { call } = site
  const other = await site.another()
  await call('plain', signIn('anna'), { method: 'POST' })
  for (const page of [call, other]) {
    if (partition) await page('open', { partition })
    for (const path of PATHS) expect((await page('cached', path)).text).toContain('"anna"')
  }
  return { ...site, other }
}

/** Whether a script of a page sees `Clear-Site-Data`: Chromium hands it to none (CONFORMANCE.md). */
const isShown = !/Chrome\//.test(navigator.userAgent)

describe('another user’s cookie comes, and nobody tells the cache (FAULTS F-67)', { timeout: 60_000 }, () => {
  test.each([
    ['without a partition', undefined],
    ['in the partition of the one before', 'anna'],
  ])('%s: what is fresh is answered on, as README.md says, until setPartition()', async (_, partition) => {
    const { call, other } = await annasTabs(partition)
    await call('plain', signIn('ben'), { method: 'POST' })
    for (const page of [call, other]) {
      expect((await page('plain', FRESH, { cache: 'no-store' })).text).toContain('"ben"')
      expect(await page('given', [FRESH])).toEqual(ANNAS)
    }
    await call('setPartition', 'ben')
    const given = await call('given', PATHS)
    expect(given.join()).not.toContain('"anna"')
    expect(given).not.toEqual([])
  })

  test.each([
    ['the response that signs in', 'POST', undefined, 'ben'],
    ['the response that signs in, in the partition of the one before,', 'POST', 'anna', 'ben'],
    ['the response that signs out', 'POST', undefined, 'nobody'],
    ['a later response', 'GET', undefined, 'ben'],
  ] as const)(
    '%s says Clear-Site-Data: nothing of the one before is given any more in any tab, where scripts see that field',
    async (_, method, partition, next) => {
      const { call, other } = await annasTabs(partition)
      if (method === 'GET') await call('plain', signIn(next), { method: 'POST' })
      await call('cached', signIn(next, '"cache"'), { method })
      if (isShown) {
        const given = await call('given', PATHS)
        expect(given.join()).not.toContain('"anna"')
        expect(given.join()).toContain(`"${next}"`)
        await expect.poll(async () => (await other('given', PATHS)).join()).not.toContain('"anna"')
      } else {
        expect(await call('given', [FRESH])).toEqual(ANNAS)
        await call('setPartition', next)
        expect((await call('given', PATHS)).join()).not.toContain('"anna"')
      }
    },
  )
})
