import { describe, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { CacheError } from '../../src/index.ts'
import { checkOptions } from '../../src/validate/check-options.ts'

const failure = (options: unknown): CacheError => {
  try {
    checkOptions(options as never)
  } catch (error) {
    return error as CacheError
  }
  throw new Error('It was accepted')
}

test.each([
  [{ memory: { maxBytes: -1 } }, 'memory.maxBytes', /memory\.maxBytes is -1; it must be 0 or more/],
  [{ memory: { maxBytes: '32 MB' } }, 'memory.maxBytes', /"32 MB"; it must be a number/],
  [{ store: 'redis' }, 'store', /store is "redis"; it must be "auto" or "memory" or "indexeddb"/],
  [{ rules: [{ match: '/a', maxAgeMs: Number.NaN }] }, 'rules[0].maxAgeMs', /rules\[0\]\.maxAgeMs is NaN/],
  [{ rules: [{ match: '/a', maxKeys: 0 }] }, 'rules[0].maxKeys', /rules\[0\]\.maxKeys is 0; it must be 1 or more/],
  [{ rules: [{ match: '/a', maxKeys: 1.5 }] }, 'rules[0].maxKeys', /rules\[0\]\.maxKeys is 1\.5/],
  [{ rules: [{ match: '/a', pinned: 'yes' }] }, 'rules[0].pinned', /rules\[0\]\.pinned is "yes"; it must be a boolean/],
  [{ rules: [{ maxAgeMs: 5 }] }, 'rules[0].match', /rules\[0\]\.match is undefined/],
  [{ deadlines: { softMs: Number.POSITIVE_INFINITY } }, 'deadlines.softMs', /deadlines\.softMs is Infinity/],
  [{ retry: { attempts: 0 } }, 'retry.attempts', /retry\.attempts is 0; it must be 1 or more/],
  [{ circuit: { after: 5 } }, 'circuit.after', /knows no option circuit\.after\. It knows failures, baseMs, maxMs/],
  [{ rules: [{ match: '/a', fallback: 'offline' }] }, 'rules[0].fallback', /fallback is "offline"/],
  [
    { rules: [{ match: '/a', fallback: { status: 99 } }] },
    'rules[0].fallback.status',
    /status is 99; it must be 200 or more/,
  ],
  [{ name: '' }, 'name', /name is ""; it must be a string that is not empty/],
  [{ earlyExpiry: { phase: 1.5 } }, 'earlyExpiry.phase', /earlyExpiry\.phase is 1\.5; it must be 1 or less/],
  [{ base: 'not a url' }, 'base', /base is "not a url"; it must be an absolute URL/],
  [{ cacheStatus: 'yes' }, 'cacheStatus', /cacheStatus is "yes"; it must be a boolean/],
  [{ maxBytes: 5 }, 'maxBytes', /knows no option maxBytes\. It knows name, store,/],
  [{ rules: [{ match: '/a', maxage: 5 }] }, 'rules[0].maxage', /knows no option rules\[0\]\.maxage\. It knows match,/],
  [null, 'options', /options is null; it must be an object/],
])('%j is refused with its path, its value and what is allowed', (options, path, message) => {
  const error = failure(options)
  expect(error).toBeInstanceOf(CacheError)
  expect(error.code).toBe('option')
  expect(error.path).toBe(path)
  expect(error.message).toMatch(message)
})

describe('what is right is accepted as it is', () => {
  test.each([
    [{}],
    [{ store: { read() {}, update() {} } }],
    [
      {
        rules: [
          { match: /x/ },
          { match: () => true },
          { match: '/api/*', earlyExpiry: false, pinned: true, maxKeys: 1 },
        ],
      },
    ],
    [{ memory: { maxBytes: 0 }, disk: {}, earlyExpiry: { beta: 0 } }],
    [{ retry: false, circuit: false, rules: [{ match: '/a', fallback: { headers: { a: 'b' } } }] }],
  ])('%j', (options) => {
    expect(checkOptions(options as never)).toBe(options)
  })
})

test('createCache() refuses a wrong option before any request', () => {
  expect(() => createCache({ memory: { maxBytes: -1 } })).toThrow(CacheError)
})
