import { describe, expect, test } from 'vitest'
import {
  parsePosition,
  positionText,
  readChannelMessage,
  readGreeting,
  readPurge,
  readSlice,
} from '../../src/purge/messages.ts'

const purge = { number: 3, mark: 'a-b', selector: { tag: 'x' }, mode: 'soft' }

describe('a position as text', () => {
  test.each([
    ['12', { number: 12 }],
    ['0', { number: 0 }],
    ['12.a-b', { number: 12, mark: 'a-b' }],
  ])('%s', (text, position) => {
    expect(parsePosition(text)).toEqual(position)
  })

  test.each([null, '', '-1', '1.', '1.a b', 'a', '1e3', '1.2.3', '9'.repeat(16)])('%s is none', (text) => {
    expect(parsePosition(text)).toBeUndefined()
  })

  test('is read back', () => {
    expect(parsePosition(positionText({ number: 7, mark: 'x_1' }))).toEqual({ number: 7, mark: 'x_1' })
  })
})

describe('what comes from a feed', () => {
  test('is read, and what a later version adds is left out', () => {
    expect(readPurge(JSON.stringify({ ...purge, later: 1 }))).toEqual(purge)
    expect(readGreeting('{"number":0,"mark":"m","complete":true,"heartbeatMs":1}')).toMatchObject({ complete: true })
    expect(readSlice(JSON.stringify({ number: 3, mark: 'm', complete: true, purges: [purge] }))?.purges).toEqual([
      purge,
    ])
  })

  test.each([
    '',
    'null',
    '{',
    '[]',
    JSON.stringify({ ...purge, number: 0 }),
    JSON.stringify({ ...purge, number: 1.5 }),
    JSON.stringify({ ...purge, mode: 'invalidate' }),
    JSON.stringify({ ...purge, selector: {} }),
    JSON.stringify({ ...purge, selector: { partition: 'a' } }),
    JSON.stringify({ ...purge, selector: { tag: 'a', later: 1 } }),
    '{"__proto__":{"number":1}}',
  ])('%s is no purge', (json) => {
    expect(readPurge(json)).toBeUndefined()
  })

  test('of a slice with one that this version cannot read only its end is known', () => {
    const later = { ...purge, number: 4, selector: { header: 'x' } }
    const slice = { number: 4, mark: 'm', complete: true, purges: [purge, later] }
    expect(readSlice(JSON.stringify(slice))).toEqual({ ...slice, complete: false, purges: [] })
    for (const odd of ['null', '[]', JSON.stringify({ ...slice, purges: {} }), JSON.stringify({ purges: [] })])
      expect(readSlice(odd)).toBeUndefined()
  })

  test('over a channel anything may come', () => {
    for (const message of [
      undefined,
      1,
      'x',
      {},
      { v: 2, do: 'note' },
      { v: 1, do: 'note', progress: { number: -1 }, durable: true },
    ])
      expect(readChannelMessage(message)).toBeUndefined()
    expect(readChannelMessage({ v: 1, do: 'note', progress: { number: 1 }, durable: true })).toBeDefined()
  })
})
