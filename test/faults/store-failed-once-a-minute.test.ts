import { expect, test } from 'vitest'
import { failures, profile } from './database-harness.ts'

test('an error of storage is told at most once a minute for each kind (FAULTS F-03)', async () => {
  const { database, clock, open } = await profile()
  for (let nth = 1; nth <= 1_000; nth++) database.inject({ at: 'commit', nth, fault: 'QuotaExceededError' })
  const { cache, events } = open()
  for (let index = 0; index < 20; index++) {
    await cache.json(`/a/${index}`)
    await clock.advance(1_000)
  }
  await cache.settled()
  expect(failures(events).filter((one) => one.includes('Quota')).length).toBeLessThanOrEqual(2) // one for reads, one for updates; it is 20 and more
  await clock.advance(60_000)
  await cache.json('/b')
  await cache.settled()
  expect(failures(events).length).toBeLessThanOrEqual(4)
})
