import { expect, test } from 'vitest'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { idsOf, putOf, responseWith } from '../stores/builders.ts'

// FAULTS F-74: a page starts as fast with much stored as with little. Requests are counted; `npm run bench` measures time.

test.each([1, 500])(
  'with %i stored the first answer takes three requests: log, purges, record',
  { timeout: 30_000 },
  async (count) => {
    const database = await virtualIndexedDB()
    const open = () =>
      createIndexedDbStore({
        name: 'nearcache',
        factory: database.factory,
        keyRange: database.keyRange,
        clock: virtualClock(),
        random: seededRandom(1),
        maxBytes: 1e9,
        maxEntryBytes: 1e6,
        onNotice: () => {},
      })
    const keys = Array.from({ length: count }, (_, index) => [`k${index}`])
    await open().update([], () => keys.map((key) => putOf(key, responseWith('b'))), { durability: 'relaxed' })
    const page = open()
    const [requests, transactions] = [database.count('request'), database.count('transaction')]
    const snapshot = await page.read([['record', '', ['k0']]])
    expect(idsOf(snapshot.record('', ['k0']))).toEqual(['b'])
    expect([database.count('request') - requests, database.count('transaction') - transactions]).toEqual([3, 1])

    // A write reads and puts no more than its own, the log and the account.
    const before = database.count('request')
    await page.update([], () => [putOf(['new'], responseWith('n'))], { durability: 'relaxed' })
    expect(database.count('request') - before).toBeLessThanOrEqual(6)
  },
)
