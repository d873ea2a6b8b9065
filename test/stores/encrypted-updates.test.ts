import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/ports/store.ts'
import { encryptedStore } from '../../src/stores/encrypted.ts'
import {
  canary,
  dump,
  encryptedOn,
  failures,
  purgeAll,
  put,
  putOf,
  RELAXED,
  read,
  rows,
  textOf,
} from './encrypted-harness.ts'
import { memoryKeyRing, realCrypto } from './key-rings.ts'

const K = ['record', 'anna', ['k']] as const

/** Encryption that waits, from the first call on, until it is let go. */
function gatedSubtle() {
  let reach = () => {}
  let open = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let calls = 0
  const subtle = new Proxy(crypto.subtle, {
    get(real, name) {
      if (name !== 'encrypt') return (real[name as keyof SubtleCrypto] as () => unknown).bind(real)
      return async (...given: Parameters<SubtleCrypto['encrypt']>) => {
        reach()
        if (++calls === 1) await opened
        return real.encrypt(...given)
      }
    },
  })
  return { subtle, reached, open: () => open() }
}

/** Adds a response to what is stored under anna's key. */
const add = (store: Store, id: string, size?: number) =>
  store.update(
    [K],
    ({ record }) => [putOf('anna', 'k', ...(record('anna', ['k'])?.responses ?? []), canary(id, size))],
    RELAXED,
  )

describe('updates', () => {
  test('of one key at the same time lose nothing of each other, small bodies and large ones', async () => {
    const { store, over, raw } = await encryptedOn()
    const other = over(raw)
    const sizes = [10, 50_000, 999, 1_001, 0]
    await Promise.all(sizes.map((size, index) => add(index % 2 ? other : store, String(index), size)))
    const expected = sizes.map((size, index) => textOf(canary(String(index), size)))
    expect((await read(store, 'anna', 'k')).toSorted()).toEqual(expected.toSorted())
  })

  test('come to the store in the order in which they were asked for, however long the encryption of the first takes', async () => {
    const { subtle, reached, open } = gatedSubtle()
    const { store, database } = await encryptedOn({ subtle })
    const first = put(store, 'anna', 'k', canary('1'))
    await reached
    const removal = put(store, 'anna', 'k')
    await database.settled()
    open()
    await Promise.all([first, removal])
    expect(await read(store, 'anna', 'k')).toEqual([])
  })

  test('one that fails does not hold up the next', async () => {
    const { subtle, reached, open } = gatedSubtle()
    const { store, database } = await encryptedOn({ subtle })
    const first = put(store, 'anna', 'k', canary('1'))
    await reached
    database.inject({ at: 'transaction', fault: 'NotReadableError' })
    const second = put(store, 'anna', 'k', canary('2'))
    await database.settled()
    const third = put(store, 'anna', 'other', canary('3'))
    open()
    await expect(second).rejects.toHaveProperty('name', 'NotReadableError')
    await Promise.all([first, third])
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('1'))])
    expect(await read(store, 'anna', 'other')).toEqual([textOf(canary('3'))])
  })

  test('one that throws is one only if it throws in the transaction', async () => {
    const { store } = await encryptedOn()
    let runs = 0
    const change = () => {
      if (++runs === 1) throw new Error('no')
      return [putOf('anna', 'k', canary('1'))]
    }
    await store.update([K], change, RELAXED)
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('1'))])
  })

  test('a record put as it was read earlier keeps its bodies, though it is not read again', async () => {
    const { store } = await encryptedOn()
    await put(store, 'anna', 'k', canary('large', 5_000), canary('small'))
    const { record } = await store.read([K])
    const responses = (record('anna', ['k'])?.responses ?? []).map(({ body: { id, size }, ...one }) => ({
      ...one,
      body: { id, size },
    }))
    await store.update([], () => [putOf('anna', 'k', ...responses)], RELAXED)
    expect(await read(store, 'anna', 'k')).toEqual([canary('large', 5_000), canary('small')].map(textOf))
  })

  test('a body that turns up only in the transaction is encrypted too', async () => {
    const { subtle, reached, open } = gatedSubtle()
    const { store, over, raw, database } = await encryptedOn({ subtle })
    const writing = store.update(
      [K],
      ({ record }) => [
        putOf('anna', 'k', canary('seen'), ...(record('anna', ['k']) ? [canary('late'), canary('later', 5_000)] : [])),
      ],
      RELAXED,
    )
    await reached
    // Another context was faster.
    await put(over(raw), 'anna', 'k', canary('other'))
    open()
    await writing
    expect(await read(store, 'anna', 'k')).toEqual([canary('seen'), canary('late'), canary('later', 5_000)].map(textOf))
    expect(dump(await rows(database.factory))).not.toContain('canary')
  })

  test('a body that is another one each time is left out, and never written as it is', async () => {
    const { store, database } = await encryptedOn()
    await put(store, 'anna', 'k', canary('old'))
    let runs = 0
    const log = await store.update(
      [K],
      ({ record }) => [
        purgeAll,
        putOf('anna', 'k', ...(record('anna', ['k'])?.responses ?? []), canary(`new ${++runs}`)),
        putOf('anna', 'other', canary(`new ${++runs}`)),
      ],
      RELAXED,
    )
    expect([log.last, runs]).toEqual([1, 6])
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('old'))])
    expect(await read(store, 'anna', 'other')).toEqual([])
    expect(dump(await rows(database.factory))).not.toContain('canary')
  })

  test('change sees the bodies that were asked for, and of the others how large they are', async () => {
    const { store } = await encryptedOn()
    await put(store, 'anna', 'k', canary('large', 5_000), canary('small', 10))
    const seen: unknown[] = []
    await store.update(
      [K, ['body', 'anna', ['k'], 'large']],
      ({ record, body }) => {
        const responses = record('anna', ['k'])?.responses ?? []
        seen.push(responses.map((one) => one.body))
        const bytes = body('anna', ['k'], 'large')
        seen.push(bytes && new TextDecoder().decode(bytes))
        return []
      },
      RELAXED,
    )
    const bodies = [
      { id: 'large', size: 5_000 },
      { id: 'small', size: 10 },
    ]
    const text = textOf(canary('large', 5_000))
    expect(seen).toEqual([bodies, text, bodies, text])
  })

  test('without a named partition go through: one transaction, one run, no key', async () => {
    const { store, keys, database } = await encryptedOn()
    await store.read([])
    const before = database.count('transaction')
    let runs = 0
    const change = () => {
      runs++
      return [putOf('', 'k', canary('1')), purgeAll]
    }
    await store.update([['record', '', ['k']]], change, RELAXED)
    expect([runs, database.count('transaction') - before, keys.keys.size]).toEqual([1, 1, 0])
  })

  test('whatever two contexts put, remove and forget, each reads exactly what is there', async () => {
    const partition = fc.constantFrom('', 'anna', 'ben')
    const step = fc.record({ partition, key: fc.constantFrom('a', 'b'), at: fc.nat(1), forget: fc.boolean() })
    const steps = fc.array(fc.tuple(step, fc.array(fc.nat(2_000), { maxLength: 3 })), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { store, over, raw, keys } = await encryptedOn()
        const contexts = [store, over(raw)]
        const known = new Map<string, readonly string[]>()
        for (const [index, [{ partition, key, at, forget }, sizes]] of all.entries()) {
          if (forget && partition !== '') {
            await keys.drop(partition)
            for (const one of ['a', 'b']) known.delete(`${partition} ${one}`)
          }
          const responses = sizes.map((size, position) => canary(`${index} ${position}`, size))
          await put(contexts[at] as Store, partition, key, ...responses)
          known.set(`${partition} ${key}`, responses.map(textOf))
          for (const context of contexts)
            for (const name of ['', 'anna', 'ben'])
              for (const one of ['a', 'b'])
                expect(await read(context, name, one)).toEqual(known.get(`${name} ${one}`) ?? [])
        }
      }),
      { seed: 7, numRuns: 20 },
    )
  })
})

describe('entering a partition', () => {
  test('forgets the keys of all others, and keeps its own', async () => {
    const { store, keys } = await encryptedOn()
    await store.enter?.('anna')
    await put(store, 'anna', 'k', canary('1'))
    await keys.keyFor('one of long ago')
    await store.enter?.('anna')
    expect([...keys.keys.keys()]).toEqual(['anna'])
    expect(await read(store, 'anna', 'k')).toHaveLength(1)
    expect((await store.enter?.('ben'))?.removed.records).toBe(1)
    expect(keys.keys.size).toBe(0)
    expect((await store.read([])).partition).toBe('ben')
  })

  test('has forgotten the one that is left even when the store beneath fails to remove it', async () => {
    const { store, database } = await encryptedOn()
    await store.enter?.('anna')
    await put(store, 'anna', 'k', canary('1'))
    database.inject({ at: 'commit', fault: 'NotReadableError' })
    await expect(store.enter?.('ben')).rejects.toHaveProperty('name', 'NotReadableError')
    expect((await store.read([])).partition).toBe('anna')
    expect(await read(store, 'anna', 'k')).toEqual([])
  })

  test('succeeds when the keys cannot be reached; that is told', async () => {
    const { store, keys, notices } = await encryptedOn()
    await store.enter?.('anna')
    keys.keepOnly = () => Promise.reject(new Error('no'))
    await store.enter?.('ben')
    expect((await store.read([])).partition).toBe('ben')
    expect(new Set(failures(notices))).toEqual(new Set(['forget']))
  })

  test('while something of another is being encrypted: it is not written, and no key of the other stays', async () => {
    const { subtle, reached, open } = gatedSubtle()
    const { store, keys, database } = await encryptedOn({ subtle })
    await store.enter?.('anna')
    const writing = put(store, 'anna', 'k', canary('1'))
    await reached
    await store.enter?.('ben')
    // Encryption began before, and its key was made only now.
    const late = keys.keyFor('anna')
    open()
    await Promise.all([writing, late])
    expect([...keys.keys.keys()]).toEqual([])
    expect(dump(await rows(database.factory))).not.toContain('["record"')
  })

  test('what comes for another one afterwards asks for no key', async () => {
    const { store, keys, notices } = await encryptedOn()
    await store.enter?.('ben')
    keys.keyFor = () => Promise.reject(new Error('no'))
    await put(store, 'anna', 'k', canary('1'))
    expect(notices).toEqual([])
  })

  test('begins with the keys, and ends with those that were made meanwhile', async () => {
    const { over, raw, keys } = await encryptedOn()
    await keys.keyFor('anna')
    let left: number | undefined
    const store = over({
      ...raw,
      async enter(partition) {
        left = keys.keys.size
        await keys.keyFor('anna')
        return raw.enter?.(partition) as ReturnType<NonNullable<Store['enter']>>
      },
    })
    await store.enter?.('ben')
    expect([left, keys.keys.size]).toEqual([0, 0])
  })

  test('is offered only where the store beneath does', async () => {
    const { raw, over } = await encryptedOn()
    expect(over({ read: raw.read, update: raw.update }).enter).toBeUndefined()
  })
})

describe('what else a store offers', () => {
  test('is handed on', async () => {
    class Beneath implements Store {
      #swept = 0
      read = () => Promise.reject(new Error('no'))
      update = () => Promise.reject(new Error('no'))
      sweep() {
        return ++this.#swept
      }
      get swept() {
        return this.#swept
      }
    }
    const beneath = Object.freeze(new Beneath())
    const store = encryptedStore(beneath, memoryKeyRing(), { ...realCrypto, onNotice: () => {} }) as unknown as Beneath
    expect([store.sweep(), store.sweep(), store.swept]).toEqual([1, 2, 2])
  })

  test('an eviction is told with the key as it is above', async () => {
    const { store, notices } = await encryptedOn({ maxBytes: 60_000 })
    for (const partition of ['anna', ''])
      for (let index = 0; index < 10; index++) await put(store, partition, `k${index}`, canary('1', 10_000))
    const evicted = notices.flatMap((notice) => (notice.type === 'evicted' ? [notice] : []))
    expect(new Set(evicted.map(({ partition }) => partition))).toEqual(new Set(['anna', '']))
    for (const { key } of evicted) expect(key).toEqual([expect.stringMatching(/^k\d$/)])
  })
})
