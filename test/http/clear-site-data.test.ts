import { expect, test } from 'vitest'
import { clearsCache } from '../../src/http/clear-site-data.ts'

test.each([
  ['"cache"', true],
  ['"storage"', true],
  ['"*"', true],
  ['"cookies", "cache"', true],
  ['"cookies" , "storage"', true],
  ['"unknown", "*"', true],
  ['"cookies", "executionContexts", "clientHints"', false],
  ['cache', false],
  ['*', false],
  ["'cache'", false],
  ['"Cache"', false],
  ['"cache', false],
  ['"x, \\"cache\\""', false],
  ['', false],
])('%j asks for stored responses to be cleared: %j (Clear Site Data §3.1)', (value, expected) => {
  expect(clearsCache(value)).toBe(expected)
})
