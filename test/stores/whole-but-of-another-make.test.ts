import { expect, test } from 'vitest'
import { checksum } from '../../src/stores/packed-record.ts'
import { byHand, profile, rowsOf } from '../faults/database-harness.ts'

// FAULTS F-81, law 6: what a script of the same origin has written is validated on read: key, scope, schema, checksum.

interface Sealed {
  readonly v: 2
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The same record with another value in a field, under a checksum that is right. */
function retold({ bytes }: Sealed, field: string, value: unknown): Sealed {
  const [, length] = new Uint32Array(bytes.buffer, 0, 2) as unknown as [number, number]
  const told = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  told.responses[0][field] = value
  const text = new TextEncoder().encode(JSON.stringify(told))
  const retold = new Uint8Array([...bytes.subarray(0, 8), ...text, ...bytes.subarray(8 + length)])
  const head = new Uint32Array(retold.buffer, 0, 2)
  head[1] = text.byteLength
  head[0] = checksum(retold.subarray(4))
  return { v: 2, bytes: retold }
}

const isRecord = ([key]: [IDBValidKey, unknown]) => (key as string[])[0] === 'record'

/** A page's database in which the record of `/a` says something else in a field. */
async function profileWith(field: string, value: unknown) {
  const world = await profile()
  const { cache } = world.open()
  await cache.json('/a')
  await cache.settled()
  const [key, sealed] = (await rowsOf(world.database)).find(isRecord) as [IDBValidKey, Sealed]
  await byHand(world.database.factory, 'nearcache', 'readwrite', (objects) => {
    objects.put(retold(sealed, field, value), key)
    return () => undefined
  })
  return world
}

test.each([
  ['v', 2],
  ['status', 99],
  ['status', '200'],
  ['statusText', 'a\nb'],
  ['type', 'opaque'],
  ['url', 'x'],
  ['url', 'record'],
  ['context', null],
  ['headers', null],
  ['headers', [['x y', 'z']]],
  ['headers', [['x', 'y\nz']]],
  ['headers', [['', 'z']]],
  ['headers', [['x', 1]]],
  ['headers', [['x']]],
  ['nominated', null],
  ['directives', null],
  ['directives', { maxAge: {} }],
  ['vary', 5],
  ['tags', null],
  ['etag', 1],
  ['expires', 'x'],
  ['requestTime', 'x'],
  ['sequence', null],
  ['epoch', null],
  ['part', {}],
  ['pinned', 1],
  ['route', {}],
  ['body', null],
  ['body', { id: 'x', size: 1e6, at: 0 }],
])('a record whose %s is %j under a good checksum is a miss, and fails no read', async (field, value) => {
  const world = await profileWith(field, value)
  const { cache } = world.open()
  expect(await cache.json('/a')).toEqual({ path: '/a', seq: 2 })
  const response = await cache.fetch('/a')
  expect(await response.json()).toEqual({ path: '/a', seq: 2 })
})

test('what is of another shape goes, though nothing is stored in its place', async () => {
  const world = await profileWith('epoch', null)
  const { cache } = world.open()
  await cache.explain('/a')
  await cache.settled()
  await world.clock.settle()
  expect((await rowsOf(world.database)).some(isRecord)).toBe(false)
})

test('a record that says something else of the right kind is used', async () => {
  const world = await profileWith('statusText', 'Fine')
  const response = await world.open().cache.fetch('/a')
  expect(response.statusText).toBe('Fine')
  expect(await response.json()).toEqual({ path: '/a', seq: 1 })
})
