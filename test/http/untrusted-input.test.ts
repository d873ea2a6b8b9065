import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentRange, requestedRange } from '../../src/http/byte-range.ts'
import { deltaSeconds, requestDirectives, responseDirectives } from '../../src/http/cache-control.ts'
import { clearsCache } from '../../src/http/clear-site-data.ts'
import { decide, mayServeOnError } from '../../src/http/decide.ts'
import { directiveMembers, fieldValue, listMembers, trimmed } from '../../src/http/fields.ts'
import { parseHttpDate } from '../../src/http/http-date.ts'
import { invalidatedBy } from '../../src/http/invalidation.ts'
import type { HeaderList } from '../../src/http/message.ts'
import { areEquivalent, parseNoVarySearch } from '../../src/http/no-vary-search.ts'
import { varyOf } from '../../src/http/nominated-fields.ts'
import { covers } from '../../src/http/purge-effect.ts'
import { storability } from '../../src/http/storable.ts'
import { freshenedFields, storedFields } from '../../src/http/stored-fields.ts'
import { parseDictionary, parseItem, parseList } from '../../src/http/structured-fields.ts'
import { tagsOf } from '../../src/http/tags.ts'
import { conditionalFields, etagsMatch, freshen, freshenedBy, headUpdates } from '../../src/http/validation.ts'
import { contextAt, presentedWith, start, storedWith, url } from './builders.ts'

const names = [
  'cache-control',
  'pragma',
  'vary',
  'age',
  'date',
  'expires',
  'last-modified',
  'etag',
  'connection',
  'content-range',
  'content-encoding',
  'content-length',
  'content-language',
  'content-location',
  'location',
  'cache-tag',
  'surrogate-key',
  'xkey',
  'cache-groups',
  'cache-group-invalidation',
  'no-vary-search',
  'cache-status',
  'clear-site-data',
  '__proto__',
  'constructor',
  'toString',
]

/** Everything that reads one value. */
const parsers: Readonly<Record<string, (value: string) => unknown>> = {
  trimmed,
  listMembers,
  directiveMembers,
  requestDirectives: (value) => requestDirectives([['cache-control', value]]),
  pragma: (value) => requestDirectives([['pragma', value]]),
  responseDirectives: (value) => responseDirectives([['cache-control', value]]),
  deltaSeconds,
  parseHttpDate: (value) => parseHttpDate(value, start),
  varyOf: (value) => varyOf([['vary', value]], 'basic'),
  acceptLanguage: (value) => {
    const stored = storedWith({ vary: 'accept-language' }, { request: { 'accept-language': value } })
    return decide(presentedWith({ 'accept-language': `${value},x` }), [stored], contextAt(start))
  },
  parseItem,
  parseList,
  parseDictionary,
  tagsOf: (value) => ['cache-tag', 'surrogate-key', 'cache-groups'].map((name) => tagsOf([[name, value]], url)),
  parseNoVarySearch,
  areEquivalent: (value) =>
    areEquivalent(`${url}?${value}`, `${url}?a`, { ignoresOrder: true, kind: 'params', keys: ['b'] }),
  requestedRange,
  contentRange,
  clearsCache,
  covers: (value) => covers({ pattern: value }, url + value, [value]),
  storedFields: (value) => storedFields([['connection', value]]),
  invalidatedBy: (value) => invalidatedBy({ method: 'POST', url }, { status: 200, headers: [['location', value]] }),
  etagsMatch: (value) => etagsMatch(value, `W/${value}`, 'weak'),
  noCache: (value) => responseDirectives([['cache-control', `no-cache="${value}"`]]),
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      ' ',
      '\t',
      ',',
      '"',
      '\\',
      '=',
      ';',
      '(',
      ')',
      '*',
      'a',
      '1',
      '%',
      ':',
      '?',
      '@',
      '-',
      '/',
      '\u00e9',
      '\0',
    ),
  }),
  fc.constantFrom(
    'max-age=1',
    'no-store',
    'no-cache="a',
    'Thu, 18 Aug 2050 02:01:18 GMT',
    '"1"',
    'W/"1"',
    'bytes 0-4/10',
    '*',
    '99999999999999999999',
  ),
)

test.each(Object.keys(parsers))(
  '%s never throws, whatever it is given (RFC 9110 §5.5: field values are untrusted)',
  (name) => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        parsers[name]?.(one)
        parsers[name]?.(one + other)
      }),
      { numRuns: 1000 },
    )
  },
)

describe('tens of thousands of characters are read in one pass', () => {
  const long = 30_000
  const repeated = [
    ' ',
    '\t',
    ',',
    '"',
    '\\',
    '=',
    ';',
    '(',
    'a',
    '0',
    '*',
    '"a',
    '\\"',
    ' ,',
    'a ',
    '=,',
    ';a',
    '%41',
    '"\\',
    'a=";',
    '/*',
    '&=',
    ', ',
  ]

  test.each(Object.keys(parsers))('%s', (name) => {
    for (const unit of repeated) {
      const text = unit.repeat(Math.ceil(long / unit.length))
      for (const value of [text, `${text}x`, `x${text}`, `"${text}`, `a="${text}"`, `(${text}`]) parsers[name]?.(value)
    }
  })
}, 120_000)

const anyHeaders: fc.Arbitrary<HeaderList> = fc.array(fc.tuple(fc.constantFrom(...names), hostile), { maxLength: 12 })

test('no header list, however hostile, makes a rule throw, or a response fresh that no strict reading finds fresh', () => {
  fc.assert(
    fc.property(
      anyHeaders,
      anyHeaders,
      anyHeaders,
      fc.constantFrom('basic' as const, 'cors' as const),
      (response, request, update, type) => {
        const presented = { ...presentedWith(), headers: request, directives: requestDirectives(request) }
        const parts = {
          url,
          status: 200,
          statusText: '',
          type,
          request: { headers: request },
          body: { id: 'b', size: 3 },
        }
        const stored = storedWith(response, { ...parts, request })
        storability({ request: presented, status: 200, headers: response, directives: stored.directives })
        const context = contextAt(start + 1)
        const decision = decide(presented, [stored], context)
        mayServeOnError(stored, presented, context)
        conditionalFields(stored)
        freshenedBy([stored, stored], update)
        headUpdates(stored, update)
        freshenedFields(response, update)
        const next = freshen(
          stored,
          {
            ...context,
            headers: update,
            requestTime: start,
            responseTime: start,
            epoch: stored.epoch,
            context: 'c',
            sequence: 2,
            delta: 1,
          },
          presented,
        )
        for (const one of [stored, next]) {
          for (const number of [one.ageValue, one.dateValue]) expect(Number.isFinite(number)).toBe(true)
        }
        if (decision.kind === 'reuse') {
          const said = fieldValue(response, 'cache-control') ?? ''
          // the strictest reading there is: the word, anywhere outside a quoted string
          const unquoted = said.replace(/"(?:[^"\\]|\\.)*"/gs, '""').toLowerCase()
          expect(/(?:^|[,;\s])no-cache(?:[,;\s]|$)/.test(unquoted)).toBe(false)
          // `-*` is a field name like any other (RFC 9110 §5.6.2)
          expect(/(?:^|,)\s*\*\s*(?:,|$)/.test(fieldValue(response, 'vary') ?? '')).toBe(false)
          const hasLifetime =
            /max-age/.test(said) ||
            fieldValue(response, 'expires') !== undefined ||
            fieldValue(response, 'last-modified') !== undefined
          expect(hasLifetime).toBe(true)
        }
      },
    ),
    { numRuns: 5000 },
  )
}, 60_000)

describe('names out of Object.prototype are names like any other', () => {
  const words = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']

  test.each(words)('%s as a field, a directive, a nominated field, a tag and a group', (word) => {
    const lower = word.toLowerCase()
    const stored = storedWith(
      [
        ['cache-control', `max-age=60, ${word}, ${word}=1`],
        ['vary', word],
        ['cache-tag', word],
        ['cache-groups', `"${word}"`],
        [lower, 'x'],
      ],
      { request: [[lower, '1']] },
    )
    expect(stored.directives).toEqual({ maxAge: 60_000 })
    expect(stored.nominated).toEqual([[lower, '1']])
    expect(stored.headers).toContainEqual([lower, 'x'])
    expect(tagsOf(stored.headers, url)).toEqual([`https://shop.example\0${word}`, word])
    expect(freshenedFields(stored.headers, [[lower, 'y']])).toContainEqual([lower, 'y'])
    expect('toString' in stored).toBe(false)
    expect('toString' in stored.directives).toBe(false)
  })

  test('and what a page has put into Object.prototype is no field, no directive, no parameter', () => {
    const polluted = [
      'cache-control',
      'vary',
      'max-age',
      'no-store',
      'no-cache',
      'accept-language',
      'cookie',
      'key-order',
      'x',
    ]
    const read = () => {
      const stored = storedWith({ expires: 'x' })
      return JSON.stringify([
        stored,
        responseDirectives([]),
        requestDirectives([]),
        parseNoVarySearch('a'),
        tagsOf([], url),
        decide(presentedWith(), [stored], contextAt(start + 1)),
      ])
    }
    const before = read()
    try {
      for (const name of polluted)
        Object.defineProperty(Object.prototype, name, { value: 'max-age=999, immutable', configurable: true })
      expect(read()).toBe(before)
    } finally {
      for (const name of polluted) Reflect.deleteProperty(Object.prototype, name)
    }
  })
})
