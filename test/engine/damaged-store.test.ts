import { describe, expect, test } from 'vitest'
import type { StoredRecord } from '../../src/ports/store.ts'
import { isStoredRecord } from '../../src/stores/stored-record.ts'
import { gatedStore } from './gated-store.ts'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** A store whose writes wait for `release`, once `hold` was called. */
function slowStore() {
  let release = () => {}
  let gate = Promise.resolve()
  const done: string[] = []
  const inner = gatedStore(async (point) => {
    if (point === 'before') await gate
  })
  return {
    hold: () => {
      gate = new Promise((resolve) => {
        release = resolve
      })
    },
    release: () => release(),
    done,
    store: {
      ...inner,
      update: (...args: Parameters<typeof inner.update>) =>
        inner.update(...args).then((log) => {
          done.push('written')
          return log
        }),
      async close() {
        done.push('closed')
      },
    } satisfies typeof inner,
  }
}

describe('a purge is a write under way', () => {
  test('settled() waits for it', async () => {
    const { store, hold, release } = slowStore()
    const { cache, clock } = harness({ store })
    hold()
    const purging = cache.purge({ all: true })
    let isSettled = false
    cache.settled().then(() => {
      isSettled = true
    })
    await clock.settle()
    expect(isSettled).toBe(false)
    release()
    await purging
  })

  test('close() waits for it: what a page purges as it goes is purged', async () => {
    const { store, hold, release, done } = slowStore()
    const { cache, clock } = harness({ store })
    hold()
    const purging = cache.purge({ all: true }, { mode: 'hard' })
    const closing = cache.close()
    await clock.settle()
    release()
    await Promise.all([purging, closing])
    expect(done).toEqual(['written', 'closed'])
  })
})

describe('what a store answers never fails a read (law 6)', () => {
  const cases: ReadonlyArray<readonly [string, (record: StoredRecord | undefined) => StoredRecord | undefined]> = [
    [
      'looking into it throws',
      () => {
        throw new Error('damaged')
      },
    ],
    [
      'a status that no response has',
      (record) => record && { v: 1, responses: record.responses.map((one) => ({ ...one, status: 1_000 })) },
    ],
    [
      'a field that no response has',
      (record) => record && { v: 1, responses: record.responses.map((one) => ({ ...one, headers: [['a b', 'c']] })) },
    ],
  ]
  test.each(cases)('%s', async (_, damage) => {
    const inner = gatedStore(async () => {})
    const first = harness({ store: inner })
    first.origin.serves('/a', { cacheControl: 'max-age=60', body: 'stored' })
    await text(first.cache.fetch('/a'))
    await first.cache.settled()
    const { cache, origin } = harness({
      store: {
        ...inner,
        read: async (keys) => {
          const snapshot = await inner.read(keys)
          return { ...snapshot, record: (partition, key) => damage(snapshot.record(partition, key)) }
        },
      },
    })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'network' })
    expect(await text(cache.fetch('/a'))).toBe('network')
  })
})

test.each([
  ['v', 2],
  ['status', 1_000],
  ['status', 42],
  ['statusText', 'a\nb'],
  ['headers', [['a b', 'c']]],
  ['headers', [['a', 'b\nc']]],
  ['type', 'opaque'],
  ['url', 'not a URL'],
] as const)(
  'a record from disk with the %s %j is damaged: a Response could not be made of it (F-81, law 6)',
  async (name, value) => {
    const records: StoredRecord[] = []
    const inner = gatedStore(async () => {})
    const { cache, origin } = harness({
      store: {
        ...inner,
        update: (keys, change, options) =>
          inner.update(
            keys,
            (snapshot) => {
              const writes = change(snapshot)
              for (const write of writes) if (write.kind === 'record' && write.value) records.push(write.value)
              return writes
            },
            options,
          ),
      },
    })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'x' })
    await text(cache.fetch('/a'))
    await cache.settled()
    const [record] = records
    expect(isStoredRecord(record)).toBe(true)
    expect(isStoredRecord({ ...record, responses: record?.responses.map((one) => ({ ...one, [name]: value })) })).toBe(
      false,
    )
  },
)
