import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksum, packedRecord, unpackedRecord } from '../../src/stores/packed-record.ts'
import { recordOf, responseWith } from './builders.ts'

const apart = (id: string) => ({ ...responseWith(id), body: { id, size: 70_000 } })
const record = recordOf(responseWith('a', 5), apart('b'), responseWith('empty', 0), responseWith('d', 1_000))
const packed = packedRecord(record, '["record","",["k"]]')

/** The same bytes in the middle of others, where no word begins. */
function offset(bytes: Uint8Array, by: number): Uint8Array<ArrayBuffer> {
  const among = new Uint8Array(bytes.byteLength + by + 3)
  among.set(bytes, by)
  return among.subarray(by, by + bytes.byteLength)
}

describe('a record as bytes', () => {
  test('comes back as it was: bodies inside with their bytes, those that lie apart without', () => {
    expect(unpackedRecord(packed, '["record","",["k"]]')).toEqual(record)
  })

  test.each([1, 2, 3, 4])('comes back from bytes that begin %i later, too', (by) => {
    expect(unpackedRecord(offset(packed, by), '["record","",["k"]]')).toEqual(record)
  })

  test('answers for no other key', () => {
    expect(unpackedRecord(packed, '["record","",["l"]]')).toBeUndefined()
  })

  test('is absent when it is cut off, or something follows', () => {
    for (let size = 0; size < packed.byteLength; size++)
      expect(unpackedRecord(packed.slice(0, size), '["record","",["k"]]')).toBeUndefined()
    expect(unpackedRecord(new Uint8Array([...packed, 0]), '["record","",["k"]]')).toBeUndefined()
  })

  test('is not made of what would be no record when it is read', () => {
    const odd = recordOf(responseWith('a', 10, { responseTime: Number.NaN }))
    expect(() => packedRecord(odd, 'k')).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
  })
})

describe('the checksum', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })

  test('shows a change in any one place', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (some, at, by) => {
        const changed = Uint8Array.from(some)
        changed[at % some.length] = (some[at % some.length] as number) ^ by
        expect(checksum(changed)).not.toBe(checksum(Uint8Array.from(some)))
      }),
    )
  })

  test('shows changes of the highest bits of two words', () => {
    const some = new Uint8Array(16).fill(7)
    const changed = some.slice()
    for (const at of [3, 7]) changed[at] = 7 ^ 0x80
    expect(checksum(changed)).not.toBe(checksum(some))
  })

  test('depends on where words begin in nothing', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 3 }), (some, by) => {
        expect(checksum(offset(some, by))).toBe(checksum(Uint8Array.from(some)))
      }),
    )
  })
})
