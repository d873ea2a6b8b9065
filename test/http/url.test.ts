import { expect, test } from 'vitest'
import { sameOriginUrl, withoutFragment } from '../../src/http/url.ts'

test.each([
  ['https://a.example/#b', 'https://a.example/'],
  ['https://a.example/?b#c#d', 'https://a.example/?b'],
  ['https://a.example/', 'https://a.example/'],
  ['', ''],
])('%j without its fragment is %j (RFC 9110 §4.2.5)', (url, expected) => {
  expect(withoutFragment(url)).toBe(expected)
})

test.each([
  ['/b#c', 'https://a.example/b'],
  ['b', 'https://a.example/x/b'],
  ['', 'https://a.example/x/y'],
  ['https://a.example:443/b', 'https://a.example/b'],
  ['https://b.example/', undefined],
  ['http://a.example/', undefined],
  ['https://[', undefined],
  ['data:,', undefined],
])('the reference %j is %j', (reference, expected) => {
  expect(sameOriginUrl(reference, 'https://a.example/x/y')).toBe(expected)
})

test('a base that is no URL gives none', () => {
  expect(sameOriginUrl('/a', 'nowhere')).toBeUndefined()
})
