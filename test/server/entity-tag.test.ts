import { describe, expect, test } from 'vitest'
import { matchesAny, strongTag } from '../../src/server/entity-tag.ts'

describe('If-None-Match (RFC 9110 §13.1.2)', () => {
  test.each([
    ['"1"', '"1"', true],
    ['W/"1"', '"1"', true],
    ['"1"', 'W/"1"', true],
    ['W/"1"', 'W/"1"', true],
    ['W/"1"', 'W/"2"', false],
    ['"1"', '"2"', false],
    ['"a", "1"', '"1"', true],
    ['"a","1" , "b"', '"1"', true],
    [', ,"1"', '"1"', true],
    ['"a,b", "c"', '"a,b"', true],
    ['"a,b"', '"b"', false],
    ['""', '""', true],
    ['"a\\", "1"', '"1"', true],
    ['*', '"1"', true],
    [' * ', '"1"', true],
    ['*, "2"', '"1"', false],
    ['w/"1"', '"1"', false],
    ['1', '"1"', false],
    ['odd', 'odd', true],
    ['"1', '"1"', false],
    ['"1', '"2"', false],
    ['"x"y, "1"', '"1"', true],
    ['', '"1"', false],
  ])('%s against %s: %s', (field, etag, expected) => {
    expect(matchesAny(field, etag)).toBe(expected)
  })

  test('* stands for what has no tag, too; tags do not', () => {
    expect(matchesAny('*', null)).toBe(true)
    expect(matchesAny('"1"', null)).toBe(false)
  })

  test('a long field takes a time that grows with its length, no faster', () => {
    const long = `${'"'.repeat(60_000)},${' '.repeat(60_000)}${'W/'.repeat(30_000)}, "1"`
    expect(matchesAny(long, '"1"')).toBe(true)
    // White space before what is no member could be shared out in very many ways.
    expect(matchesAny(`"2",${' '.repeat(60_000)}"`, '"1"')).toBe(false)
    expect(matchesAny(`a${' '.repeat(60_000)}"x"y, "1"`, '"1"')).toBe(true)
  })
})

test('a strong tag is the same for the same bytes, and another for others', async () => {
  const tag = await strongTag(new TextEncoder().encode('a'))
  expect(tag).toMatch(/^"[\w-]{24}"$/)
  expect(await strongTag(new TextEncoder().encode('a'))).toBe(tag)
  expect(await strongTag(new TextEncoder().encode('b'))).not.toBe(tag)
  expect(await strongTag(new Uint8Array())).toMatch(/^"[\w-]{24}"$/)
})
