import { describe, expect, test } from 'vitest'
import { sealedBody, unsealedBody, unsealedRecord } from '../../src/stores/seal.ts'
import { goldens, rowsOfKind } from './golden/restored.ts'

const first = Object.values(goldens.find(([version]) => version === '0.1.0')?.[1].databases ?? {}).flat()

describe('a record as version 0.1 wrote it', () => {
  const records = rowsOfKind(first, 'record').map(([key, value]) => [JSON.stringify(key), value as object] as const)

  test('is read under its own key, and under no other', () => {
    expect(records.length).toBeGreaterThan(50)
    for (const [name, value] of records) {
      expect(unsealedRecord(value, name)).toMatchObject({ v: 1 })
      expect(unsealedRecord(value, `${name} `)).toBeUndefined()
    }
  })

  test('is absent with another checksum, and with another number under the right one (law 11)', () => {
    for (const [name, value] of records) {
      expect(unsealedRecord({ ...value, sum: 1 }, name)).toBeUndefined()
      expect(unsealedRecord({ ...value, v: 3 }, name)).toBeUndefined()
    }
  })
})

describe('a body that lies apart', () => {
  const bytes = Uint8Array.from({ length: 103 }, (_, index) => index)

  test('is read under its own key, whole, and under no other', () => {
    const sealed = sealedBody(bytes, 'k')
    expect(unsealedBody(sealed, 'k')).toEqual(bytes)
    expect(unsealedBody(sealed, 'l')).toBeUndefined()
    expect(unsealedBody({ ...sealed, bytes: bytes.slice(1) }, 'k')).toBeUndefined()
  })

  test('is read as version 0.1 wrote it, too', () => {
    const bodies = rowsOfKind(first, 'body')
    expect(bodies.length).toBeGreaterThan(2)
    for (const [key, value] of bodies) {
      expect(unsealedBody(value, JSON.stringify(key))).toBe((value as { bytes: Uint8Array }).bytes)
      expect(unsealedBody(value, 'another')).toBeUndefined()
    }
  })

  test('brings nothing along of the bytes among which it lay', () => {
    expect(sealedBody(bytes.subarray(8, 16), 'k').bytes.buffer.byteLength).toBe(8)
  })
})
