import { expect, test } from 'vitest'
import { visit } from '../service-worker/site-visit.ts'

// FAULTS F-63, R5: a real server that has stopped, and below us the browser's own cache, which keeps what it had of the user.

/** Fresh, and stale but good enough when the origin is down. */
const PATHS = ['max-age=600', 'private, max-age=600', 'private, max-age=0, stale-if-error=600'].map(
  (cacheControl) => `/me?cc=${encodeURIComponent(cacheControl)}`,
)

test('a user signs out while the origin is down: nothing of theirs is given in any tab, nor left on disk', {
  timeout: 60_000,
}, async () => {
  const { call, another, stop } = await visit()
  const other = await another()
  await call('plain', '/sign-in?as=anna', { method: 'POST' })
  for (const page of [call, other]) {
    await page('open', { partition: 'anna' })
    for (const path of PATHS) expect((await page('cached', path)).text).toContain('"anna"')
  }
  expect(await call('diskHolds', 'anna')).toBe(true)
  await stop()
  // It is down indeed, and what may be served then is: at once, and each way it is asked for.
  for (const page of [call, other]) expect(await page('given', PATHS)).toHaveLength(5 * PATHS.length)
  const { memoryBytes, given, receipt } = await call('leave', PATHS)
  expect({ memoryBytes, given }).toEqual({ memoryBytes: 0, given: [] })
  expect(receipt.disk).toMatchObject({ records: PATHS.length })
  expect(await call('diskHolds', 'anna')).toBe(false)
  await expect.poll(() => other('given', PATHS)).toEqual([])
  expect(await call('given', PATHS)).toEqual([])
})
