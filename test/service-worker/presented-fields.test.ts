import { expect, test } from 'vitest'
import { presentedFields } from '../../src/service-worker/presented-fields.ts'

const fields = (headers: Record<string, string>, cache: RequestCache = 'default', languages = 'en-US,en') =>
  Object.fromEntries(presentedFields({ headers: Object.entries(headers), cache }, languages))

test.each([
  ['what Chromium adds', { accept: '*/*', 'sec-ch-ua': '"x"', 'user-agent': 'y' }, {}],
  ['what Firefox adds', { accept: '*/*', 'accept-language': 'en-US,en;q=0.9' }, {}],
  ['what WebKit adds', { accept: '*/*' }, {}],
  [
    'what a script has set',
    { accept: 'text/html', 'accept-language': 'de', 'x-tenant': '1' },
    { accept: 'text/html', 'accept-language': 'de', 'x-tenant': '1' },
  ],
  ['a script’s own directive', { 'cache-control': 'max-age=0' }, { 'cache-control': 'max-age=0' }],
])('%s', (_whose, given, kept) => {
  expect(fields(given)).toEqual(kept)
})

test('what a browser adds for a reload is said by the mode', () => {
  expect(fields({ 'cache-control': 'max-age=0', pragma: 'no-cache' }, 'no-cache')).toEqual({})
})
