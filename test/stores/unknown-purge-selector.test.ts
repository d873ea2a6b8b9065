import { expect, test } from 'vitest'
import { causes } from '../engine/harness.ts'
import { byHand, failures, profile, rowsOf } from '../faults/database-harness.ts'
import { valueUnder } from './golden/restored.ts'

const LOG = ['meta', 'log']

test.each([
  [{ host: 'origin.test' }],
  [{}],
  [{ tags: 'all of them' }],
  [{ urls: 'https://origin.test/one' }],
  [{ pattern: ['https://origin.test/*'] }],
])(
  'a purge with a selector that today does not know, %j: what it may cover is not used any more, and no read fails (laws 2, 6, 11)',
  async (selector) => {
    const { database, origin, open } = await profile()
    origin.serves('*', { cacheControl: 'max-age=600', tags: ['all of them'], json: {} })
    const visit = async () => {
      const { cache, events } = open({ earlyExpiry: false })
      await cache.json('/one')
      await cache.settled()
      expect(failures(events)).toEqual([])
      return causes(events)
    }
    await visit()
    const head = valueUnder(await rowsOf(database), LOG) as object
    await byHand(database.factory, 'nearcache', 'readwrite', (objects) => {
      objects.put({ ...head, last: 1 }, LOG)
      objects.put([{ number: 1, mode: 'hard', at: 0, selector }], ['meta', 'purges'])
      return () => undefined
    })
    const first = await visit()
    expect(first).not.toContain('fresh')
    expect(await visit()).toEqual(['fresh'])
  },
)
