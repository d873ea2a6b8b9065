import { describe, expect, test } from 'vitest'
import type { PurgeMode, StoredResponse } from '../../src/http/message.ts'
import { purgeEffect } from '../../src/http/purge-effect.ts'
import type { Store, StoreNotice } from '../../src/ports/store.ts'
import { createLayeredStore } from '../../src/stores/layered.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { idsOf, putOf, recordOf, responseWith } from './builders.ts'

const RELAXED = { durability: 'relaxed' } as const

/** A disk that a test holds in its hand: it can be slow, fail, or be another one from now on. */
function disk(incarnation = 'disk') {
  const create = (name: string) =>
    createMemoryStore({ maxBytes: 1e6, maxEntryBytes: 1e6, incarnation: name, onNotice: () => {} })
  let real = create(incarnation)
  let gate: Promise<void> | undefined
  let open = () => {}
  let failing: ('read' | 'update' | 'strict')[] = []
  const operations: string[] = []
  /** What has been written, bodies in their records. */
  const store: Store = {
    async read(keys) {
      operations.push('read')
      await gate
      if (failing.includes('read')) throw new Error('no disk')
      return real.read(keys)
    },
    async update(keys, change, options) {
      operations.push(options.durability)
      await gate
      if (failing.includes('update') || (options.durability === 'strict' && failing.includes('strict')))
        throw new Error('no disk')
      return real.update(keys, change, options)
    },
  }
  return {
    store,
    operations,
    hold() {
      gate = new Promise((resolve) => {
        open = resolve
      })
    },
    release() {
      gate = undefined
      open()
    },
    fail(...kinds: typeof failing) {
      failing = kinds
    },
    reborn(name: string) {
      real = create(name)
    },
    put: (key: string, ...responses: StoredResponse[]) => real.update([], () => [putOf([key], ...responses)], RELAXED),
    record: (key: string) => real.peek('', [key]),
    purge: (url: string, mode: PurgeMode = 'soft') =>
      real.update([], () => [{ kind: 'purge', purge: { selector: { urls: [url] }, mode, at: 0 } }], RELAXED),
    log: async () => (await real.read([])).log,
  }
}

function layeredOn(durable: Store | undefined, memoryBytes = 1e6) {
  const notices: StoreNotice[] = []
  const onNotice = (notice: StoreNotice) => notices.push(notice)
  const memory = createMemoryStore({
    maxBytes: memoryBytes,
    maxEntryBytes: memoryBytes,
    incarnation: 'memory',
    onNotice,
  })
  const layered = createLayeredStore({ memory, durable, incarnation: 'memory', onNotice, tell() {}, onPurged() {} })
  return { notices, layered, store: layered.open('', () => {}) }
}

const purgeOf = (url: string, mode: PurgeMode = 'soft') => ({ selector: { urls: [url] }, mode, at: 0 })

test('a response may be lost with the power, a purge may not (IndexedDB, durability)', async () => {
  const { store: durable, operations } = disk()
  const { store } = layeredOn(durable)
  await store.update(['k'], () => recordOf(responseWith('a', 10, { epoch: store.epoch() })))
  await store.purge(purgeOf('https://origin.test/'))
  expect(operations.filter((one) => one !== 'read')).toEqual(['relaxed', 'strict'])
})
const ofDisk = (id: string, number = 0, more: Partial<StoredResponse> = {}) =>
  responseWith(id, 10, { epoch: { incarnation: 'disk', number }, ...more })
const { url } = responseWith('any')
const addOf = (response: StoredResponse) => (record: { responses: readonly StoredResponse[] } | undefined) =>
  recordOf(...(record?.responses ?? []), response)

describe('memory alone', () => {
  test('keeps, changes and removes at once', async () => {
    const { store } = layeredOn(undefined)
    const writing = store.update(['k'], addOf(responseWith('a')))
    expect(idsOf(store.peek(['k']))).toEqual(['a'])
    await writing
    expect(idsOf(await store.read(['k']))).toEqual(['a'])
    await store.update(['k'], () => undefined)
    expect(store.peek(['k'])).toBeUndefined()
    expect(store.memoryBytes()).toBe(0)
  })

  test('a purge is in force and in the epoch from the call on', () => {
    const { store } = layeredOn(undefined)
    const before = responseWith('a', 10, { epoch: store.epoch() })
    void store.purge(purgeOf(url))
    expect(purgeEffect(before, store.log())?.mode).toBe('soft')
    expect(purgeEffect({ ...before, epoch: store.epoch() }, store.log())).toBeUndefined()
  })
})

describe('memory over a durable store', () => {
  test('cookies stay in memory: no durable store is ever given one (RFC 9111 §7.3)', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    const headers = [
      ['set-cookie', 'session=1'],
      ['etag', '"1"'],
    ] as const
    await store.update(['k'], addOf(responseWith('a', 10, { headers, epoch: store.epoch() })))
    expect(store.peek(['k'])?.responses[0]?.headers).toEqual(headers)
    expect(under.record('k')?.responses[0]?.headers).toEqual([['etag', '"1"']])
  })

  test('is closed at once, and what is being read asks the disk for nothing more: that would open it anew', async () => {
    const under = disk()
    const { operations } = under
    const closing = { ...under.store, close: async () => void operations.push('close') }
    const { store } = layeredOn(closing)
    under.hold()
    const reading = store.read(['k'])
    await new Promise((resolve) => setImmediate(resolve))
    await store.close()
    expect(operations).toEqual(['read', 'close'])
    under.release()
    await reading
    await store.read(['other'])
    // Once more, in case that it did.
    expect(operations).toEqual(['read', 'close', 'close'])
  })

  test('a write is in memory at once and on disk when it resolves', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    const writing = store.update(['k'], addOf(responseWith('a', 10, { epoch: store.epoch() })))
    expect(idsOf(store.peek(['k']))).toEqual(['a'])
    await writing
    expect(idsOf(under.record('k'))).toEqual(['a'])
  })

  test('what is read comes into memory', async () => {
    const under = disk()
    await under.put('k', ofDisk('a'))
    const { store } = layeredOn(under.store)
    expect(store.peek(['k'])).toBeUndefined()
    const record = await store.read(['k'])
    expect(idsOf(record)).toEqual(['a'])
    expect(store.peek(['k'])).toBe(record)
  })

  test('variants of both are read together; of the same body the one that was validated last counts', async () => {
    const under = disk()
    await under.put('k', ofDisk('de'), ofDisk('en', 0, { responseTime: 500 }))
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    await store.update(['k'], addOf(ofDisk('fr', 0, { memoryOnly: true })))
    await under.put('k', ofDisk('de'), ofDisk('en', 0, { responseTime: 900 }), ofDisk('it'))
    const record = await store.read(['k'])
    expect(idsOf(record).toSorted()).toEqual(['de', 'en', 'fr', 'it'])
    expect(record?.responses.find(({ body }) => body.id === 'en')?.responseTime).toBe(900)
  })

  test('a response that does not fit into memory is read whole all the same', async () => {
    const under = disk()
    await under.put('k', { ...ofDisk('large'), body: responseWith('large', 50_000).body })
    const { store } = layeredOn(under.store, 20_000)
    const record = await store.read(['k'])
    expect(record?.responses[0]?.body.bytes?.byteLength).toBe(50_000)
    expect(store.peek(['k'])).toBeUndefined()
  })

  test('bodies that lie apart are fetched, and one that is gone or of another size makes its response absent', async () => {
    const stored = ['whole', 'gone', 'cut'].map((id) => {
      const { bytes: _, ...body } = responseWith(id).body
      return { ...ofDisk(id), body }
    })
    const log = { incarnation: 'disk', last: 0, floor: 0, purges: [] }
    const under: Store = {
      read: async () => ({
        log,
        record: () => recordOf(...stored),
        body: (_partition, _key, id) => (id === 'gone' ? undefined : new Uint8Array(id === 'cut' ? 9 : 10)),
      }),
      update: async () => log,
    }
    const { store } = layeredOn(under)
    expect(idsOf(await store.read(['k']))).toEqual(['whole'])
    expect(store.peek(['k'])?.responses[0]?.body.bytes?.byteLength).toBe(10)
  })

  test('reads of one key at the same time are one read of the disk', async () => {
    const under = disk()
    await under.put('k', ofDisk('a'))
    const { store } = layeredOn(under.store)
    await Promise.all([store.read(['k']), store.read(['k']), store.read(['k'])])
    expect(under.operations).toEqual(['read'])
  })

  test('a read waits for the writes of its key, so that what was replaced does not come back', async () => {
    const under = disk()
    await under.put('k', ofDisk('old'))
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    under.hold()
    const writing = store.update(['k'], () => recordOf(ofDisk('new')))
    const reading = store.read(['k'])
    under.release()
    expect(idsOf(await reading)).toEqual(['new'])
    await writing
  })

  test('what is replaced while it is read does not come back', async () => {
    const under = disk()
    await under.put('k', ofDisk('old'))
    const { store } = layeredOn(under.store)
    under.hold()
    const reading = store.read(['k'])
    const writing = store.update(['k'], () => recordOf(ofDisk('new')))
    under.release()
    expect(idsOf(await reading)).toEqual(['new'])
    await writing
    expect(idsOf(store.peek(['k']))).toEqual(['new'])
  })

  test('memory-only responses never reach the disk, neither alone nor along with a later write of the same key', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    await store.update(['k'], addOf(ofDisk('secret', 0, { memoryOnly: true })))
    expect(under.record('k')).toBeUndefined()
    await store.update(['k'], addOf(ofDisk('public')))
    expect(idsOf(under.record('k'))).toEqual(['public'])
    expect(idsOf(store.peek(['k']))).toEqual(['secret', 'public'])
  })

  test('an answer that leaves the record as it is writes nothing', async () => {
    const under = disk()
    await under.put('k', ofDisk('a'))
    const before = under.record('k')
    const { store } = layeredOn(under.store)
    await store.update(['k'], (record) => record)
    expect(under.record('k')).toBe(before)
  })

  test('a disk that fails is told, and fails nobody', async () => {
    const under = disk()
    under.fail('read', 'update')
    const { store, notices } = layeredOn(under.store)
    await store.update(['k'], addOf(responseWith('a', 10, { epoch: store.epoch() })))
    expect(idsOf(await store.read(['k']))).toEqual(['a'])
    expect(notices.map((notice) => notice.type === 'store-failed' && notice.operation)).toEqual(['update', 'read'])
  })
})

describe('epochs: no response asked for before a purge is stored as if it came after', () => {
  test('what was asked for before the disk was known counts as before every purge in its log, in memory and on disk', async () => {
    const under = disk()
    await under.purge(url)
    const { store } = layeredOn(under.store)
    const early = responseWith('early', 10, { epoch: store.epoch() })
    await store.read(['other'])
    await store.update(['k'], addOf(early))
    expect(purgeEffect(early, store.log())?.mode).toBe('soft')
    expect(under.record('k')?.responses[0]?.epoch).toEqual({ incarnation: 'disk', number: 0 })
  })

  test('what was asked for before the disk was known is kept when nothing covers it', async () => {
    const under = disk()
    under.hold()
    const { store } = layeredOn(under.store)
    const early = responseWith('early', 10, { epoch: store.epoch() })
    const writing = store.update(['k'], addOf(early))
    under.release()
    await writing
    expect(purgeEffect(store.peek(['k'])?.responses[0] ?? early, store.log())).toBeUndefined()
    expect(idsOf(under.record('k'))).toEqual(['early'])
  })

  test('a log that has dropped purges covers it too', async () => {
    const under = disk()
    for (let index = 0; index <= 1000; index++) await under.purge(`https://shop.example/${index}`)
    const { store } = layeredOn(under.store)
    const early = responseWith('early', 10, { epoch: store.epoch() })
    await store.read(['k'])
    expect(purgeEffect(early, store.log())?.mode).toBe('hard')
  })

  test('a purge on its way is in the log, and what is asked for meanwhile counts as before it', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    under.hold()
    const purging = store.purge(purgeOf(url))
    const meanwhile = responseWith('meanwhile', 10, { epoch: store.epoch() })
    expect(purgeEffect(meanwhile, store.log())?.mode).toBe('soft')
    // Another tab takes the number that ours would have had, after our request was sent.
    await under.purge(url, 'hard')
    under.release()
    expect(await purging).toEqual({ epoch: { incarnation: 'disk', number: 2 }, durable: true })
    expect(purgeEffect(meanwhile, store.log())?.mode).toBe('hard')
    expect(purgeEffect({ ...meanwhile, epoch: store.epoch() }, store.log())).toBeUndefined()
  })

  test('purges at the same time all hold', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    const urls = ['https://a.example/', 'https://b.example/', 'https://c.example/']
    const before = urls.map((one) => ({ ...responseWith(one), url: one, epoch: store.epoch() }))
    const receipts = await Promise.all(urls.map((one) => store.purge(purgeOf(one))))
    expect(receipts.map(({ epoch }) => epoch.number).toSorted()).toEqual([1, 2, 3])
    for (const one of before) expect(purgeEffect(one, store.log())?.mode).toBe('soft')
    expect((await under.log()).purges.length).toBe(3)
  })

  test('purges of another tab come with the next read', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    const before = responseWith('a', 10, { epoch: store.epoch() })
    await under.purge(url, 'hard')
    await store.read(['k'])
    expect(purgeEffect(before, store.log())?.mode).toBe('hard')
  })

  test('a log that is older than what is known changes nothing', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    const slow = await under.log()
    await store.purge(purgeOf(url))
    const stale: Store = {
      ...under.store,
      read: async () => ({ log: slow, record: () => undefined, body: () => undefined }),
    }
    Object.assign(under.store, stale)
    await store.read(['k'])
    expect(store.log().last).toBe(1)
  })

  test('a database that was lost and born again: memory is dropped, and what is on its way is refused (its purges are not known)', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    const before = responseWith('before', 10, { epoch: store.epoch() })
    await store.update(['k'], addOf(before))
    under.reborn('disk 2')
    await store.read(['other'])
    expect(store.peek(['k'])).toBeUndefined()
    expect(purgeEffect(before, store.log())?.mode).toBe('hard')
    await store.update(['k'], addOf(before))
    expect(under.record('k')).toBeUndefined()
  })

  test('what was asked for before the first database was known is not taken for asked in the second', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    const early = responseWith('early', 10, { epoch: store.epoch() })
    await store.read(['k'])
    expect(purgeEffect(early, store.log())).toBeUndefined()
    under.reborn('disk 2')
    await store.read(['k'])
    expect(purgeEffect(early, store.log())?.mode).toBe('hard')
  })
})

describe('a purge that the disk fails to take', () => {
  test('holds in memory, and says that it is not durable', async () => {
    const under = disk()
    await under.put('k', ofDisk('a'))
    const { store, notices } = layeredOn(under.store)
    await store.read(['k'])
    under.fail('strict')
    expect((await store.purge(purgeOf(url, 'hard'))).durable).toBe(false)
    expect(notices.map((notice) => notice.type === 'store-failed' && notice.operation)).toEqual(['purge'])
    expect(store.peek(['k'])).toBeUndefined()
    expect(await store.read(['k'])).toBeUndefined()
  })

  test('reaches the disk before anything is read from it again', async () => {
    const under = disk()
    await under.put('k', ofDisk('a'))
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    under.fail('strict')
    await store.purge(purgeOf(url, 'hard'))
    under.fail()
    const [stored] = (await store.read(['k']))?.responses ?? []
    expect((await under.log()).purges).toEqual([{ number: 1, ...purgeOf(url, 'hard') }])
    expect(stored && purgeEffect(stored, store.log())?.mode).toBe('hard')
    // And the disk is used as before.
    const later = responseWith('later', 10, { epoch: store.epoch() })
    expect(purgeEffect(later, store.log())).toBeUndefined()
    await store.update(['other'], addOf(later))
    expect(idsOf(under.record('other'))).toEqual(['later'])
  })

  test('what was asked for before it stays covered, also after the disk has mended', async () => {
    const under = disk()
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    const before = responseWith('before', 10, { epoch: store.epoch() })
    under.fail('strict', 'read', 'update')
    await store.purge(purgeOf(url))
    expect(purgeEffect(before, store.log())).toBeDefined()
    const between = responseWith('between', 10, { epoch: store.epoch() })
    expect(purgeEffect(between, store.log())).toBeUndefined()
    await store.purge(purgeOf(url, 'invalidate'))
    expect(purgeEffect(between, store.log())?.mode).toBe('invalidate')
    under.fail()
    await store.read(['k'])
    expect(purgeEffect(before, store.log())?.mode).toBe('invalidate')
    expect(purgeEffect(between, store.log())?.mode).toBe('invalidate')
  })

  test('a write meanwhile neither reaches the disk nor removes what lies there', async () => {
    const under = disk()
    await under.put('k', ofDisk('a'))
    const { store } = layeredOn(under.store)
    await store.read(['k'])
    under.fail('strict')
    await store.purge(purgeOf('https://shop.example/other'))
    await store.update(['k'], addOf(responseWith('b', 10, { epoch: store.epoch() })))
    expect(idsOf(under.record('k'))).toEqual(['a'])
    expect(idsOf(store.peek(['k']))).toEqual(['b'])
  })

  test('on a disk that never works, purges and responses go on in memory', async () => {
    const under = disk()
    under.fail('read', 'update')
    const { store } = layeredOn(under.store)
    await store.purge(purgeOf(url))
    const kept = responseWith('kept', 10, { epoch: store.epoch() })
    await store.update(['k'], addOf(kept))
    await store.purge(purgeOf('https://shop.example/other'))
    expect(store.peek(['k'])?.responses).toEqual([kept])
    expect(purgeEffect(kept, store.log())).toBeUndefined()
    await store.purge(purgeOf(url))
    expect(purgeEffect(kept, store.log())?.mode).toBe('soft')
  })
})

test.each(Array.from({ length: 20 }, (_, turn) => turn))(
  'a look reads what was there when it was asked for, %i turns after another one has read',
  async (turns) => {
    const { store, purge } = disk()
    const told: string[] = []
    const layered = createLayeredStore({
      memory: createMemoryStore({ maxBytes: 1e6, maxEntryBytes: 1e6, incarnation: 'memory', onNotice: () => {} }),
      durable: store,
      incarnation: 'memory',
      onNotice: () => {},
      tell: () => {},
      onPurged: ({ selector }) => told.push(...(('urls' in selector && selector.urls) || [])),
    })
    layered.open('', () => {})
    await layered.look()
    layered.look()
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    await purge('/a')
    await layered.look()
    expect(told).toEqual(['/a'])
  },
)
