import { expect, test } from 'vitest'
import { profile, watched } from './database-harness.ts'

test('a POST is answered no later than diskMs after bare fetch would have, whatever the disk does (R6)', async () => {
  const { database, clock, open } = await profile()
  const { cache } = open()
  await cache.json('/a')
  await cache.settled()
  database.inject({ at: 'commit', fault: 'hang' })
  const posting = watched(cache.fetch('/a', { method: 'POST', body: '1' }))
  await clock.advance(50)
  expect(posting.state).toBe('fulfilled') // it is pending for 3,000 ms
})
