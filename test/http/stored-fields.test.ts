import { describe, expect, test } from 'vitest'
import { freshenedFields, storedFields } from '../../src/http/stored-fields.ts'
import { fields } from './builders.ts'

describe('the stored fields (RFC 9111 §3.1)', () => {
  test('are all that were received, unknown ones too, in their order', () => {
    const received = fields([
      ['x-unknown', '1'],
      ['content-encoding', 'gzip'],
      ['content-length', '5'],
      ['content-range', 'bytes 0-4/10'],
      ['set-cookie', 'a=b'],
      ['set-cookie', 'c=d'],
      ['__proto__', 'x'],
      ['age', '5'],
      ['trailer', 'x'],
    ])
    expect(storedFields(received)).toEqual(received)
  })

  test.each([
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authentication-info',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'transfer-encoding',
    'upgrade',
  ])('are without %s', (name) => {
    expect(storedFields(fields({ [name]: 'x', a: '1' }))).toEqual([['a', '1']])
  })

  test('are without what Connection names (RFC 9110 §7.6.1)', () => {
    expect(storedFields(fields({ connection: 'A, , b', a: '1', b: '2', c: '3' }))).toEqual([['c', '3']])
  })

  test('are without the fields of a qualified no-cache, and whole with an unqualified one (RFC 9111 §5.2.2.4)', () => {
    expect(storedFields(fields({ a: '1', b: '2' }), { noCache: ['a', '__proto__'] })).toEqual([['b', '2']])
    expect(storedFields(fields({ a: '1', b: '2' }), { noCache: true })).toEqual(fields({ a: '1', b: '2' }))
  })
})

describe('an update (RFC 9111 §3.2)', () => {
  const stored = fields({ a: '1', etag: '"1"', 'content-foo': 'x', 'x-frame-options': 'deny' })

  test('replaces what it brings, adds what is new, and keeps the rest', () => {
    expect(freshenedFields(stored, fields({ a: '2', b: '3', 'content-foo': 'y' }))).toEqual(
      fields({ etag: '"1"', 'x-frame-options': 'deny', a: '2', b: '3', 'content-foo': 'y' }),
    )
  })

  test.each(['content-encoding', 'content-length', 'content-range', 'content-type'])(
    'never brings %s, on which the stored bytes depend',
    (name) => {
      expect(freshenedFields(fields({ [name]: 'old' }), fields({ [name]: 'new' }))).toEqual([[name, 'old']])
      expect(freshenedFields([], fields({ [name]: 'new' }))).toEqual([])
    },
  )

  test.each(['connection', 'transfer-encoding', 'keep-alive', 'proxy-authorization'])(
    'never brings %s, which is not stored',
    (name) => {
      expect(freshenedFields(stored, fields({ [name]: 'x' }))).toEqual(stored)
    },
  )

  test('never brings what its Connection names', () => {
    expect(freshenedFields(stored, fields({ connection: 'a', a: '2' }))).toEqual(stored)
  })

  test('replaces all lines of Set-Cookie together', () => {
    const lines = (...values: string[]) => values.map((value) => ['set-cookie', value] as const)
    expect(freshenedFields(lines('a=1', 'b=1'), lines('c=1'))).toEqual(lines('c=1'))
    expect(freshenedFields(lines('a=1'), lines('b=1', 'c=1'))).toEqual(lines('b=1', 'c=1'))
  })
})
