import { describe, expect, test } from 'vitest'
import type { StoredResponse } from '../../src/http/message.ts'
import { recordOf } from './builders.ts'
import {
  CANARY,
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
  tamper,
  textOf,
} from './encrypted-harness.ts'

describe('bodies of a named partition', () => {
  test.each([0, 1, 15, 16, 999, 1_000, 1_001, 65_536, 1_000_000])(
    'of %i bytes come back as they were',
    async (size) => {
      const { store, notices } = await encryptedOn()
      const response = canary('1', size)
      await put(store, 'anna', 'k', response)
      expect(await read(store, 'anna', 'k')).toEqual([textOf(response)])
      const { record } = await store.read([['record', 'anna', ['k']]])
      expect(record('anna', ['k'])?.responses[0]?.body.size).toBe(size)
      expect(notices).toEqual([])
    },
  )

  test('are nowhere on the disk, and neither is a key; what has no partition lies there as it is', async () => {
    const { store, database } = await encryptedOn()
    await put(store, 'anna', 'small', canary('1'))
    await put(store, 'anna', 'large', canary('2', 50_000), canary('3'))
    await store.update([], () => [putOf('anna', 'unasked', canary('4')), purgeAll], RELAXED)
    expect(dump(await rows(database.factory))).not.toContain('canary')
    await put(store, '', 'public', canary('5'))
    expect(dump(await rows(database.factory))).toContain('canary')
  })

  test('are encrypted anew each time: equal bodies under one key have nothing in common', async () => {
    const { store, raw } = await encryptedOn()
    await put(store, 'anna', 'k', canary('same'))
    const first = (await raw.read([['record', 'anna', ['sealed', 'k']]])).record('anna', ['sealed', 'k'])
    await put(store, 'anna', 'k', canary('same'))
    const second = (await raw.read([['record', 'anna', ['sealed', 'k']]])).record('anna', ['sealed', 'k'])
    const [one, other] = [first, second].map((record) => record?.responses[0]?.body.bytes as Uint8Array)
    expect(one?.subarray(0, 12)).not.toEqual(other?.subarray(0, 12))
    expect(one?.subarray(12)).not.toEqual(other?.subarray(12))
  })

  test('that a validation does not touch are not encrypted again (RFC 9111 §4.3.4)', async () => {
    const { store, raw } = await encryptedOn()
    await put(store, 'anna', 'k', canary('1'), canary('2', 50_000))
    const beneath = async () => (await raw.read([['record', 'anna', ['sealed', 'k']]])).record('anna', ['sealed', 'k'])
    const before = await beneath()
    await store.update(
      [['record', 'anna', ['k']]],
      ({ record }) => [
        putOf('anna', 'k', ...(record('anna', ['k'])?.responses ?? []).map((one) => ({ ...one, delta: 7 }))),
      ],
      RELAXED,
    )
    const after = await beneath()
    expect(after?.responses.map(({ delta }) => delta)).toEqual([7, 7])
    expect(after?.responses.map(({ body }) => body)).toEqual(before?.responses.map(({ body }) => body))
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('1')), textOf(canary('2', 50_000))])
  })
})

describe('what cannot be decrypted is not there', () => {
  test('after its key was dropped: everything of that partition, and nothing of another; a new key does not bring it back', async () => {
    const { store, keys, notices } = await encryptedOn()
    for (const partition of ['anna', 'ben', '']) {
      await put(store, partition, 'small', canary('1'))
      await put(store, partition, 'large', canary('2', 50_000))
    }
    await keys.drop('anna')
    for (const key of ['small', 'large']) {
      expect(await read(store, 'anna', key)).toEqual([])
      expect(await read(store, 'ben', key)).toHaveLength(1)
      expect(await read(store, '', key)).toHaveLength(1)
    }
    // Nobody is told of what was meant to be.
    expect(notices).toEqual([])
    await put(store, 'anna', 'new', canary('3'))
    expect(await read(store, 'anna', 'new')).toEqual([textOf(canary('3'))])
    for (const key of ['small', 'large']) expect(await read(store, 'anna', key)).toEqual([])
    expect(new Set(failures(notices))).toEqual(new Set(['decrypt']))
  })

  test('reading makes no key', async () => {
    const { store, keys } = await encryptedOn()
    await read(store, 'anna', 'k')
    await store.update([['record', 'anna', ['k']]], () => [putOf('anna', 'k')], RELAXED)
    expect(keys.keys.size).toBe(0)
  })

  test.each([
    [
      'a bit of it is another',
      (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
    ],
    [
      'its vector is another',
      (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
    ],
    ['its end is missing', (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, -1)],
    ['nearly nothing of it is left', (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, 5)],
    ['it is plain', () => new TextEncoder().encode(CANARY)],
  ])('when %s', async (_, change) => {
    const { store, raw, notices } = await encryptedOn()
    await put(store, 'anna', 'k', canary('1'))
    await tamper(raw, 'k', change)
    expect(await read(store, 'anna', 'k')).toEqual([])
    expect(failures(notices)).toEqual(['decrypt'])
  })

  test('when one of two is damaged, the other is', async () => {
    const { store, raw } = await encryptedOn()
    await put(store, 'anna', 'k', canary('1'), canary('2', 600))
    await tamper(raw, 'k', (bytes) => (bytes.byteLength > 600 ? bytes.map((byte) => byte ^ 1) : bytes))
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('1'))])
  })

  test.each([
    ['key', 'anna', ['sealed', 'other'], '1'],
    ['partition', 'ben', ['sealed', 'k'], '1'],
    ['name', 'anna', ['sealed', 'k'], '2'],
  ] as const)('when it was moved to another %s', async (_, partition, key, id) => {
    const { store, raw, keys, notices } = await encryptedOn()
    await put(store, 'anna', 'k', canary('1'))
    // The same key for both, so that it is the place alone that counts.
    keys.keys.set('ben', keys.keyFor('anna'))
    const { record } = await raw.read([['record', 'anna', ['sealed', 'k']]])
    const [moved] = record('anna', ['sealed', 'k'])?.responses ?? []
    expect(moved).toBeDefined()
    const value = recordOf({ ...canary(id), body: { ...(moved as StoredResponse).body, id } })
    await raw.update([], () => [{ kind: 'record', partition, key, value }], RELAXED)
    expect(await read(store, partition, key[1])).toEqual([])
    expect(failures(notices)).toEqual(['decrypt'])
  })

  test('a store with encryption and one without, on one database, take nothing of each other for their own', async () => {
    const { store, raw, notices } = await encryptedOn()
    await put(store, 'anna', 'k', canary('1'))
    expect(await read(raw, 'anna', 'k')).toEqual([])
    await put(raw, 'anna', 'k', canary('2'))
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('1'))])
    expect(notices).toEqual([])
  })
})
