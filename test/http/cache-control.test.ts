import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deltaSeconds, requestDirectives, responseDirectives } from '../../src/http/cache-control.ts'

const response = (...lines: string[]) => responseDirectives(lines.map((line) => ['cache-control', line]))
const request = (...lines: string[]) => requestDirectives(lines.map((line) => ['cache-control', line]))
const maxSeconds = 2 ** 31

test.each([
  ['0', 0],
  ['3600', 3_600_000],
  ['003600', 3_600_000],
  ['2147483647', 2_147_483_647_000],
  ['2147483648', maxSeconds * 1000],
  ['2147483649', maxSeconds * 1000],
  ['99999999999999999999', maxSeconds * 1000],
  ['9'.repeat(400), maxSeconds * 1000],
  ['-1', undefined],
  ['+1', undefined],
  ['1.5', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  [' 1', undefined],
  ['1\n', undefined],
  ['', undefined],
  ['١', undefined],
  [undefined, undefined],
])('%j seconds are %j ms: digits only, overflow clamped to 2^31 s (RFC 9111 §1.2.2)', (text, expected) => {
  expect(deltaSeconds(text)).toBe(expected)
})

describe("a response's directives", () => {
  test('are absent without the field', () => {
    expect(responseDirectives([['pragma', 'no-cache']])).toEqual({}) // Pragma has no meaning in a response (RFC 9111 §5.4)
  })

  test('are all read, in any case, unknown ones and those for shared caches ignored (RFC 9111 §5.2.2, §5.2.3; RFC 5861; RFC 8246)', () => {
    expect(
      response(
        'Max-Age=60, MUST-REVALIDATE, no-store, no-cache, private, public, immutable, must-understand',
        'stale-while-revalidate=30, Stale-If-Error=300, s-maxage=999, proxy-revalidate, no-transform, __proto__, constructor=1',
      ),
    ).toEqual({
      maxAge: 60_000,
      mustRevalidate: true,
      noStore: true,
      noCache: true,
      private: true,
      public: true,
      immutable: true,
      mustUnderstand: true,
      staleWhileRevalidate: 30_000,
      staleIfError: 300_000,
    })
  })

  test('s-maxage alone gives a private cache no lifetime (RFC 9111 §5.2.2.10)', () => {
    expect(response('s-maxage=600')).toEqual({})
  })

  test('CDN-Cache-Control and Surrogate-Control are for others (RFC 9213 §3)', () => {
    expect(
      responseDirectives([
        ['cdn-cache-control', 'max-age=600'],
        ['surrogate-control', 'max-age=600'],
      ]),
    ).toEqual({})
  })

  test.each([
    ['max-age="3600"', 3_600_000],
    ['max-age=003600', 3_600_000],
    ['max-age=5, max-age=5', 5000],
    ["max-age='3600'", 0],
    ['max-age=3600.0', 0],
    ['max-age=-1', 0],
    ['max-age=a3600', 0],
    ['max-age=3600a', 0],
    ['max-age', 0],
    ['max-age=', 0],
    ['max-age =3600', 0],
    ['max-age= 3600', 0],
    ['max-age="3600', 0],
    ['max-age=3600 no-transform', 0],
    ['max-age=3600, max-age=1800', 0],
    ['max-age=1, max-age=1800', 0],
    ['max-age=3600, max-age=3600, max-age=1', 0],
    ['max-age=3600, max-age', 0],
    ['extension="max-age=3600", max-age=1', 1000],
    ['max-age=1, extension="max-age=3600"', 1000],
    ['max-age="1", extension="max-age=3600"', 1000],
    ['max-age=99999999999', maxSeconds * 1000],
  ])('%j is a lifetime of %d ms: 0 when malformed or contradicted (RFC 9111 §4.2.1)', (value, maxAge) => {
    expect(response(value).maxAge).toBe(maxAge)
    expect(response(...value.split(', ')).maxAge).toBe(maxAge)
  })

  test.each(['no-store', 'no-cache', 'private', 'must-revalidate', 'must-understand'])(
    '%s, which restricts, counts however it is malformed',
    (name) => {
      const key = name.replace(/-(.)/, (_, letter: string) => letter.toUpperCase())
      for (const value of [
        name,
        `${name}=`,
        `${name} = "x"`,
        `${name}="`,
        `${name} x`,
        `a; ${name}`,
        `"${name}`,
        `${name};`,
      ]) {
        expect(response(value), value).toMatchObject({ [key]: true })
      }
    },
  )

  test.each([
    ['public', 'public'],
    ['immutable', 'immutable'],
    ['stale-while-revalidate=5', 'staleWhileRevalidate'],
    ['stale-if-error=5', 'staleIfError'],
  ] as const)('%s, which permits, does not when it is malformed, or one of its copies', (value, key) => {
    const [name] = value.split('=') as [string]
    expect(response(value)[key]).toBeTruthy()
    for (const wrong of [`${name} = 5`, `${name} x`, `${name}="`, `${value}, ${name} =`]) {
      expect(response(wrong)[key], wrong).toBeUndefined()
    }
  })

  test('a permission without its number is none', () => {
    expect(response('stale-while-revalidate, stale-if-error=x')).toEqual({})
  })

  test('of two windows the shorter one counts (RFC 9111 §4.2.1: the most restrictive)', () => {
    expect(response('stale-while-revalidate=10, stale-while-revalidate=5').staleWhileRevalidate).toBe(5000)
    expect(response('stale-if-error=0').staleIfError).toBe(0)
  })

  test('an argument of immutable means nothing (RFC 8246 §2)', () => {
    expect(response('immutable=no')).toEqual({ immutable: true })
  })

  test.each([
    ['no-cache="Set-Cookie"', ['set-cookie']],
    ['no-cache=" a , B "', ['a', 'b']],
    ['no-cache=a', ['a']],
    ['no-cache="a", no-cache="b"', ['a', 'b']],
    ['no-cache', true],
    ['no-cache=""', true],
    ['no-cache=","', true],
    ['no-cache="a b"', true],
    ['no-cache="a", no-cache', true],
    ['no-cache = "a"', true],
  ])(
    '%j: a qualified no-cache names fields, anything else about it counts as unqualified (RFC 9111 §5.2.2.4)',
    (value, noCache) => {
      expect(response(value).noCache).toEqual(noCache)
    },
  )

  test.each(['private=""', 'private=","', 'private, private="x"', 'private=" authorization"'])(
    '%j never throws and is private (RFC 9111 §5.2.2.7)',
    (value) => expect(response(value)).toEqual({ private: true }),
  )
})

describe("a request's directives", () => {
  test('are all read (RFC 9111 §5.2.1, RFC 5861 §4)', () => {
    expect(
      request(
        'max-age=1, MAX-STALE=2, min-fresh=3, no-cache, no-store, only-if-cached, stale-if-error=4, no-transform',
      ),
    ).toEqual({
      maxAge: 1000,
      maxStale: 2000,
      minFresh: 3000,
      noCache: true,
      noStore: true,
      onlyIfCached: true,
      staleIfError: 4000,
    })
  })

  test('do not mean what they mean in a response, and the reverse (RFC 9111 §5.2)', () => {
    expect(request('must-revalidate, private, immutable, stale-while-revalidate=5')).toEqual({})
    expect(response('max-stale=5, min-fresh=5, only-if-cached')).toEqual({})
  })

  test('max-stale without a value accepts any staleness (RFC 9111 §5.2.1.2)', () => {
    expect(request('max-stale')).toEqual({ maxStale: Number.POSITIVE_INFINITY })
    expect(request('max-stale, max-stale=5')).toEqual({ maxStale: 5000 })
  })

  test('malformed ones cost a request, never a wrong answer', () => {
    expect(request('max-age=x, min-fresh=x, max-stale=x, stale-if-error=x')).toEqual({
      maxAge: 0,
      minFresh: Number.POSITIVE_INFINITY,
    })
    expect(request('max-stale =5, stale-if-error =5')).toEqual({})
    expect(request('no-cache =1; no-store')).toEqual({ noCache: true, noStore: true })
  })

  test('of several copies the strictest counts', () => {
    expect(request('max-age=9, max-age=5, min-fresh=1, min-fresh=2')).toEqual({ maxAge: 5000, minFresh: 2000 })
  })

  test('Pragma: no-cache means no-cache where there is no Cache-Control (RFC 9111 §5.4)', () => {
    expect(requestDirectives([['pragma', 'x, No-Cache']])).toEqual({ noCache: true })
    expect(requestDirectives([['pragma', 'x']])).toEqual({})
    expect(
      requestDirectives([
        ['pragma', 'no-cache'],
        ['cache-control', 'max-age=5'],
      ]),
    ).toEqual({ maxAge: 5000 })
  })
})

/**
 * A second reading of RFC 9111 §5.2 and §4.2.1, written to be strict and slow: one character at a time; whatever is not exactly
 * the grammar is a violation. It answers with the most that a cache may believe.
 */
function strictReading(value: string): { wellFormed: boolean; members: Array<{ name: string; argument?: string }> } {
  let rest = value
  const members: Array<{ name: string; argument?: string }> = []
  const take = (allowed: RegExp): string => {
    let taken = ''
    while (rest && allowed.test(rest[0] as string)) {
      taken += rest[0]
      rest = rest.slice(1)
    }
    return taken
  }
  const token = /[A-Za-z0-9!#$%&'*+.^_`|~-]/
  for (;;) {
    take(/[ \t]/)
    const name = take(token).toLowerCase()
    if (name) {
      if (rest[0] === '=') {
        rest = rest.slice(1)
        let argument = ''
        if (rest[0] === '"') {
          rest = rest.slice(1)
          for (;;) {
            if (rest === '') return { wellFormed: false, members }
            if (rest[0] === '"') break
            if (rest[0] === '\\') rest = rest.slice(1)
            argument += rest[0] ?? ''
            rest = rest.slice(1)
          }
          rest = rest.slice(1)
        } else {
          argument = take(token)
          if (!argument) return { wellFormed: false, members }
        }
        members.push({ name, argument })
      } else members.push({ name })
    }
    take(/[ \t]/)
    if (rest === '') return { wellFormed: true, members }
    if (rest[0] !== ',') return { wellFormed: false, members }
    rest = rest.slice(1)
  }
}

const directiveName = fc.constantFrom(
  'max-age',
  'no-store',
  'no-cache',
  'must-revalidate',
  'private',
  'stale-while-revalidate',
  'stale-if-error',
  'public',
  'x',
  '__proto__',
)
const rawArgument = fc.constantFrom(
  '',
  '=5',
  '="5"',
  '=60',
  '=',
  ' = 5',
  '="a, no-store"',
  '="a',
  '=-1',
  '=1.5',
  '=5"',
  '=\\',
  '="\\""',
)
const separator = fc.constantFrom(', ', ',', ',,', ' ', ';', '\t,', '"')
const anyCacheControl = fc
  .array(fc.tuple(directiveName, rawArgument, separator), { maxLength: 6 })
  .map((parts) => parts.map((part) => part.join('')).join(''))

test('no value, however malformed, is read more laxly than by a strict reading of the grammar', () => {
  fc.assert(
    fc.property(anyCacheControl, (value) => {
      const { wellFormed, members } = strictReading(value)
      const read = response(value)
      const copies = (name: string) => members.filter((member) => member.name === name)
      // What restricts is never lost: not when it stands where the grammar allows it, nor when the value is no Cache-Control at all.
      for (const [name, key] of [
        ['no-store', 'noStore'],
        ['no-cache', 'noCache'],
        ['must-revalidate', 'mustRevalidate'],
      ] as const) {
        if (copies(name).length > 0) expect(read[key]).toBeTruthy()
      }
      // What permits is never more than the strict reading has.
      for (const [name, key] of [
        ['stale-while-revalidate', 'staleWhileRevalidate'],
        ['stale-if-error', 'staleIfError'],
      ] as const) {
        const allowed = copies(name).map(({ argument }) =>
          /^[0-9]+$/.test(argument ?? '') ? Number(argument) * 1000 : 0,
        )
        if (wellFormed) expect(read[key] ?? 0).toBe(allowed.length > 0 ? Math.min(...allowed) : 0)
      }
      const ages = copies('max-age').map(({ argument }) =>
        /^[0-9]+$/.test(argument ?? '') ? Number(argument) * 1000 : 0,
      )
      if (ages.length > 0) expect(read.maxAge ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(Math.min(...ages))
      else if (wellFormed) expect(read.maxAge).toBeUndefined()
    }),
    { numRuns: 5000 },
  )
})
