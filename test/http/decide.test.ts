import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DecisionContext,
  type DecisionPolicy,
  decide,
  isOnlyIfCached,
  isOriginError,
  mayServeOnError,
  numbersOf,
} from '../../src/http/decide.ts'
import type { CacheMode, PresentedRequest, PurgeMode, PurgeRecord, StoredResponse } from '../../src/http/message.ts'
import { contextAt, httpDate, logWith, presentedWith, seconds, start, storedWith } from './builders.ts'

type Headers = Readonly<Record<string, string>>

const validator = { etag: '"1"' }
const cacheControl = (value: string) => ({ 'cache-control': value, ...validator })

interface Situation {
  readonly request?: Headers
  readonly presented?: Partial<PresentedRequest>
  readonly context?: Partial<DecisionContext>
}

/** The decision about one response, `age` seconds after it was asked for and came. */
function decisionAt(
  age: number,
  stored: Headers | StoredResponse,
  { request = {}, presented = {}, context = {} }: Situation = {},
) {
  const one = 'v' in stored ? (stored as StoredResponse) : storedWith(stored as Headers)
  return decide(presentedWith(request, presented), [one], contextAt(start + seconds(age), context))
}

const outcome = (...args: Parameters<typeof decisionAt>) => {
  const { kind, cause } = decisionAt(...args)
  return `${kind}: ${cause}`
}

const purges = (mode: PurgeMode, at = start): { log: ReturnType<typeof logWith> } => ({
  log: logWith([{ number: 1, mode, at, selector: { all: true } }]),
})

describe('freshness (RFC 9111 §4.2)', () => {
  test.each([
    [0, 'reuse: fresh'],
    [59, 'reuse: fresh'],
    [59.999, 'reuse: fresh'],
    [60, 'validate: expired'],
    [61, 'validate: expired'],
  ])('with max-age=60 and an age of %d s: %s', (age, expected) => {
    expect(outcome(age, cacheControl('max-age=60'))).toBe(expected)
  })

  test('an upstream Age, a slow network and a Date in the past all shorten it (§4.2.3)', () => {
    expect(outcome(0, { ...cacheControl('max-age=600'), age: '599' })).toBe('reuse: fresh')
    expect(outcome(0, { ...cacheControl('max-age=600'), age: '600' })).toBe('validate: expired')
    expect(outcome(0, storedWith(cacheControl('max-age=30'), { requestTime: start - 60_000 }))).toBe(
      'validate: expired',
    )
    expect(outcome(0, { ...cacheControl('max-age=600'), date: httpDate(start - 601_000) })).toBe('validate: expired')
  })

  test('what cannot be validated is asked for anew', () => {
    expect(outcome(60, { 'cache-control': 'max-age=60' })).toBe('forward: expired')
    expect(outcome(60, { 'cache-control': 'max-age=60', 'last-modified': httpDate(start) })).toBe('validate: expired')
  })

  test('a clock that cannot be believed validates, and is never fresh (§4)', () => {
    const stored = cacheControl('max-age=99999999999, stale-while-revalidate=99999999999')
    expect(outcome(-1, stored)).toBe('validate: expired')
    expect(outcome(2 ** 31, stored)).toBe('validate: expired')
    expect(outcome(Number.NaN, stored)).toBe('validate: expired')
    expect(outcome(10 * 365 * 86_400, stored)).toBe('reuse: fresh')
  })

  test('s-maxage and CDN-Cache-Control make nothing fresh', () => {
    expect(outcome(1, { ...cacheControl('s-maxage=60'), 'cdn-cache-control': 'max-age=60' })).toBe('validate: expired')
  })

  test('immutable is no lifetime, and is validated when stale (RFC 8246 §2)', () => {
    expect(outcome(1, cacheControl('immutable'))).toBe('validate: expired')
    expect(outcome(60, cacheControl('max-age=60, immutable'))).toBe('validate: expired')
    expect(outcome(59, cacheControl('max-age=60, immutable'))).toBe('reuse: fresh')
  })

  test('an opinion by HEAD that the representation has changed makes it stale (§4.3.5)', () => {
    const stored = {
      ...storedWith(cacheControl('max-age=60, stale-while-revalidate=5')),
      staleSince: start + seconds(10),
    }
    expect(outcome(10, stored)).toBe('reuse-and-revalidate: stale-while-revalidate')
    expect(outcome(15, stored)).toBe('reuse-and-revalidate: stale-while-revalidate')
    expect(outcome(16, stored)).toBe('validate: expired')
  })

  test('the numbers that led to it come with it', () => {
    const decision = decisionAt(10, cacheControl('max-age=60, stale-while-revalidate=30, stale-if-error=90'))
    const numbers = {
      ageMs: 10_000,
      lifetimeMs: 60_000,
      lifetimeSource: 'max-age',
      staleForMs: -50_000,
      staleWhileRevalidateMs: 30_000,
      staleIfErrorMs: 90_000,
    }
    expect(decision).toMatchObject({ numbers })
    expect(
      numbersOf(
        storedWith(cacheControl('max-age=60, stale-while-revalidate=30, stale-if-error=90')),
        presentedWith(),
        contextAt(start + 10_000),
      ),
    ).toEqual(numbers)
  })
})

describe('nothing suitable', () => {
  test('nothing stored (RFC 9211 §2.2)', () => {
    expect(decide(presentedWith(), [], contextAt(start))).toEqual({ kind: 'forward', cause: 'miss', why: 'uri-miss' })
  })

  test('another variant stored', () => {
    const stored = storedWith({ ...cacheControl('max-age=60'), vary: 'foo' }, { request: { foo: '1' } })
    expect(decide(presentedWith({ foo: '2' }), [stored], contextAt(start))).toEqual({
      kind: 'forward',
      cause: 'vary-miss',
      why: 'vary-miss',
    })
  })

  test('only what a hard purge covers', () => {
    const decision = decide(presentedWith(), [storedWith(cacheControl('max-age=60'))], contextAt(start, purges('hard')))
    expect(decision).toEqual({ kind: 'forward', cause: 'purged', why: 'uri-miss' })
  })
})

describe('one of several (RFC 9111 §4, §4.1)', () => {
  const at = (age: number, headers: Headers, parts: Parameters<typeof storedWith>[1] = {}) =>
    storedWith({ 'cache-control': 'max-age=600', date: httpDate(start - seconds(age)), ...headers }, parts)
  const chosen = (stored: readonly StoredResponse[], request: Headers = {}) => {
    const decision = decide(presentedWith(request), stored, contextAt(start))
    return 'stored' in decision ? decision.stored : undefined
  }

  test('is the most recent by Date, in whatever order they came', () => {
    const [old, recent] = [at(20, {}), at(10, {})]
    expect(chosen([old, recent])).toBe(recent)
    expect(chosen([recent, old])).toBe(recent)
  })

  test('with equal dates is the one that came last, and then the one stored last', () => {
    const [early, late] = [at(10, {}), at(10, {}, { responseTime: start + 1 })]
    expect(decide(presentedWith(), [late, early], contextAt(start + 1))).toMatchObject({ stored: late })
    const twin = { ...early, sequence: 2 }
    expect(chosen([early, twin])).toBe(twin)
  })

  test('is one that has Vary where a newer one omits it', () => {
    const negotiated = at(20, { vary: 'foo' }, { request: { foo: '1' } })
    expect(chosen([negotiated, at(10, {})], { foo: '1' })).toBe(negotiated)
  })

  test('is one that no hard purge covers', () => {
    const [purged, kept] = [at(10, {}), at(20, {}, { epoch: { incarnation: 'one', number: 1 } })]
    expect(decide(presentedWith(), [purged, kept], contextAt(start, purges('hard')))).toMatchObject({
      kind: 'reuse',
      stored: kept,
    })
  })
})

describe("a request's directives (RFC 9111 §5.2.1)", () => {
  const stored = cacheControl('max-age=60, stale-while-revalidate=60')

  test.each([
    ['max-age accepts its own age', 'max-age=10', 10, 'reuse: fresh'],
    ['max-age accepts no greater age', 'max-age=10', 10.001, 'validate: request-directive'],
    ['max-age=0 is not met a moment later', 'max-age=0', 0.001, 'validate: request-directive'],
    ['a malformed max-age accepts nothing', 'max-age=x', 0.001, 'validate: request-directive'],
    ['max-age is not met by the window of the origin', 'max-age=10', 70, 'validate: request-directive'],
    ['min-fresh is met', 'min-fresh=10', 50, 'reuse: fresh'],
    ['min-fresh is not met', 'min-fresh=10', 50.001, 'validate: request-directive'],
    ['min-fresh is not met by the window of the origin', 'min-fresh=10', 70, 'validate: request-directive'],
    ['no-cache validates what is fresh', 'no-cache', 0, 'validate: request-directive'],
    ['no-cache beats max-stale', 'no-cache, max-stale', 0, 'validate: request-directive'],
    ['max-stale accepts what is stale', 'max-stale=10', 70, 'reuse: max-stale'],
    [
      'max-stale accepts nothing staler, as the origin may',
      'max-stale=10',
      70.001,
      'reuse-and-revalidate: stale-while-revalidate',
    ],
    ['max-stale without a value accepts everything', 'max-stale', 99_999, 'reuse: max-stale'],
    ['max-stale widens max-age (§5.2.1.1)', 'max-age=10, max-stale=5', 15, 'reuse: max-stale'],
    ['max-stale widens max-age by that much', 'max-age=10, max-stale=5', 15.001, 'validate: request-directive'],
    ['no-store still reads', 'no-store', 10, 'reuse: fresh'],
  ])('%s', (_sentence, value, age, expected) => {
    expect(outcome(age, stored, { request: { 'cache-control': value } })).toBe(expected)
  })

  test('only-if-cached is answered from the store or not at all (§5.2.1.7)', () => {
    const only = { request: { 'cache-control': 'only-if-cached' } }
    expect(outcome(10, stored, only)).toBe('reuse: fresh')
    expect(outcome(70, stored, only)).toBe('reuse: stale-while-revalidate')
    expect(decisionAt(120.001, stored, only)).toEqual({ kind: 'refuse', cause: 'only-if-cached' })
    expect(decide(presentedWith(only.request), [], contextAt(start))).toEqual({
      kind: 'refuse',
      cause: 'only-if-cached',
    })
    expect(isOnlyIfCached(presentedWith(only.request))).toBe(true)
    expect(isOnlyIfCached(presentedWith({}, { cacheMode: 'only-if-cached' }))).toBe(true)
    expect(isOnlyIfCached(presentedWith())).toBe(false)
  })

  test('the staleness that a caller accepts counts as max-stale', () => {
    expect(outcome(70, cacheControl('max-age=60'), { presented: { maxStale: 10_000 } })).toBe('reuse: max-stale')
    expect(outcome(71, cacheControl('max-age=60'), { presented: { maxStale: 10_000 } })).toBe('validate: expired')
  })
})

describe("fetch's cache modes (Fetch Standard, request cache mode)", () => {
  const modes = (cacheMode: CacheMode, age: number, stored: Headers = cacheControl('max-age=60'), context = {}) =>
    outcome(age, stored, { presented: { cacheMode }, context })

  test.each([
    ['reload asks for it anew, whatever is stored', 'reload', 0, 'forward: request-directive'],
    ['no-cache validates what is fresh', 'no-cache', 0, 'validate: request-directive'],
    ['force-cache takes what is fresh', 'force-cache', 0, 'reuse: fresh'],
    ['force-cache takes what is stale', 'force-cache', 9999, 'reuse: max-stale'],
    ['only-if-cached takes what is stale', 'only-if-cached', 9999, 'reuse: max-stale'],
    ['no-store, asked all the same, is answered by freshness', 'no-store', 0, 'reuse: fresh'],
  ] as ReadonlyArray<[string, CacheMode, number, string]>)('%s', (_sentence, mode, age, expected) => {
    expect(modes(mode, age)).toBe(expected)
  })

  test('only-if-cached refuses when nothing is stored', () => {
    expect(decide(presentedWith({}, { cacheMode: 'only-if-cached' }), [], contextAt(start))).toEqual({
      kind: 'refuse',
      cause: 'only-if-cached',
    })
  })

  test.each(['force-cache', 'only-if-cached'] as const)('%s ignores age, never a purge or an invalidation', (mode) => {
    expect(modes(mode, 9999, cacheControl('no-cache'))).toBe('reuse: max-stale')
    for (const purge of ['soft', 'invalidate', 'hard'] as const) {
      const decision = decisionAt(1, cacheControl('max-age=60'), {
        presented: { cacheMode: mode },
        context: purges(purge),
      })
      expect(decision.kind, purge).toBe(
        mode === 'only-if-cached' ? 'refuse' : purge === 'hard' ? 'forward' : 'validate',
      )
    }
  })
})

describe('stale-while-revalidate (RFC 5861 §3)', () => {
  test.each([
    [59.999, 'reuse: fresh'],
    [60, 'reuse-and-revalidate: stale-while-revalidate'],
    [90, 'reuse-and-revalidate: stale-while-revalidate'],
    [90.001, 'validate: expired'],
  ])('counts from the end of freshness: at an age of %d s %s', (age, expected) => {
    expect(outcome(age, cacheControl('max-age=60, stale-while-revalidate=30'))).toBe(expected)
  })

  test('of 0 seconds is no window', () => {
    expect(outcome(60, cacheControl('max-age=60, stale-while-revalidate=0'))).toBe('validate: expired')
  })
})

describe('stale on an error (RFC 5861 §4)', () => {
  const may = (age: number, stored: Headers, { request = {}, presented = {}, context = {} }: Situation = {}) =>
    mayServeOnError(storedWith(stored), presentedWith(request, presented), contextAt(start + seconds(age), context)) !==
    undefined

  test.each([
    ['within the window of the response', 'max-age=60, stale-if-error=30', {}, 90, true],
    ['not beyond it', 'max-age=60, stale-if-error=30', {}, 90.001, false],
    ['within the window of the request', 'max-age=60', { 'cache-control': 'stale-if-error=30' }, 90, true],
    ['within the longer of both', 'max-age=60, stale-if-error=5', { 'cache-control': 'stale-if-error=30' }, 90, true],
    ['not where nobody allows it', 'max-age=60', {}, 60, false],
    ['not when the request says no-cache', 'max-age=60, stale-if-error=30', { 'cache-control': 'no-cache' }, 61, false],
    [
      'not when the request wants it younger',
      'max-age=60, stale-if-error=30',
      { 'cache-control': 'max-age=60' },
      61,
      false,
    ],
    [
      'not when the request wants it fresh',
      'max-age=60, stale-if-error=30',
      { 'cache-control': 'min-fresh=1' },
      61,
      false,
    ],
  ])('%s', (_sentence, value, request, age, expected) => {
    expect(may(age, { 'cache-control': value }, { request: request as Headers })).toBe(expected)
  })

  test('not in the mode no-cache, nor after a hard purge or an invalidation', () => {
    const stored = cacheControl('max-age=60, stale-if-error=600')
    expect(may(61, stored, { presented: { cacheMode: 'no-cache' } })).toBe(false)
    expect(may(61, stored, { context: purges('hard') })).toBe(false)
    expect(may(61, stored, { context: purges('invalidate') })).toBe(false)
    expect(may(61, stored, { context: purges('soft') })).toBe(true)
  })

  test('gives the numbers of that moment', () => {
    expect(
      mayServeOnError(
        storedWith(cacheControl('max-age=60, stale-if-error=30')),
        presentedWith(),
        contextAt(start + 70_000),
      ),
    ).toMatchObject({
      ageMs: 70_000,
      staleForMs: 10_000,
      staleIfErrorMs: 30_000,
    })
  })

  test('is for 500, 502, 503 and 504, and for no other status', () => {
    expect(Array.from({ length: 600 }, (_, status) => status).filter(isOriginError)).toEqual([500, 502, 503, 504])
  })
})

describe('a prohibition beats every permission (RFC 9111 §4.2.4)', () => {
  const prohibitions: ReadonlyArray<[string, Headers, Partial<DecisionContext>]> = [
    ['must-revalidate', { 'cache-control': 'must-revalidate' }, {}],
    ['no-cache', { 'cache-control': 'no-cache' }, {}],
    ['a malformed no-cache', { 'cache-control': 'no-cache =""' }, {}],
    ['invalidation', {}, purges('invalidate')],
    ['a hard purge', {}, purges('hard')],
  ]
  const permissions: ReadonlyArray<[string, Headers, Headers, Partial<PresentedRequest>, DecisionPolicy]> = [
    ['stale-while-revalidate', { 'cache-control': 'stale-while-revalidate=999' }, {}, {}, {}],
    ['stale-if-error', { 'cache-control': 'stale-if-error=999' }, {}, {}, {}],
    ['stale-if-error of the request', {}, { 'cache-control': 'stale-if-error=999' }, {}, {}],
    ['max-stale', {}, { 'cache-control': 'max-stale' }, {}, {}],
    ["the caller's staleness", {}, {}, { maxStale: Number.POSITIVE_INFINITY }, {}],
    ['a rule', {}, {}, {}, { staleWhileRevalidateMs: 999_000, staleIfErrorMs: 999_000 }],
    ['an overriding rule', {}, {}, {}, { override: true, staleWhileRevalidateMs: 999_000, staleIfErrorMs: 999_000 }],
  ]
  const table = prohibitions.flatMap(([prohibition, forbids, context]) =>
    permissions.map(([permission, allows, request, presented, policy]) => {
      const value = ['max-age=60', forbids['cache-control'], allows['cache-control']].filter(Boolean).join()
      return [
        prohibition,
        permission,
        cacheControl(value),
        { request, presented, context: { ...context, policy } },
      ] as const
    }),
  )

  test.each(table)('%s against %s', (_prohibition, _permission, stored, situation) => {
    expect(decisionAt(61, stored, situation).kind).toMatch(/^(validate|forward)$/)
    const { request, presented, context } = situation
    expect(
      mayServeOnError(storedWith(stored), presentedWith(request, presented), contextAt(start + 61_000, context)),
    ).toBeUndefined()
  })

  test('and must-revalidate forbids nothing while it is fresh (§5.2.2.2)', () => {
    expect(outcome(59, cacheControl('max-age=60, must-revalidate'))).toBe('reuse: fresh')
  })

  test('no-cache forbids use without validation even while it is fresh (§5.2.2.4)', () => {
    expect(outcome(0, cacheControl('max-age=60, no-cache'))).toBe('validate: no-cache')
    expect(outcome(0, cacheControl('max-age=60, no-cache="x"'))).toBe('reuse: fresh')
  })
})

describe("a caller's rule", () => {
  const rule = (policy: DecisionPolicy) => ({ context: { policy } })

  test('gives windows where the response says nothing', () => {
    const policy = { staleWhileRevalidateMs: 10_000, staleIfErrorMs: 10_000 }
    expect(outcome(70, cacheControl('max-age=60'), rule(policy))).toBe('reuse-and-revalidate: stale-while-revalidate')
    expect(outcome(70, cacheControl('max-age=60, stale-while-revalidate=5'), rule(policy))).toBe('validate: expired')
    expect(outcome(70, cacheControl('max-age=60, stale-while-revalidate=5'), rule({ ...policy, override: true }))).toBe(
      'reuse-and-revalidate: stale-while-revalidate',
    )
    expect(outcome(64, cacheControl('max-age=60, stale-while-revalidate=5'), rule({ override: true }))).toBe(
      'reuse-and-revalidate: stale-while-revalidate',
    )
  })
})

describe('early expiry (Vattani, Chierichetti, Lowenstein 2015)', () => {
  const early = (age: number, u: number, more: Situation & { value?: string; delta?: number; beta?: number } = {}) => {
    const { value = 'max-age=100', delta = 1000, beta = 1, presented = {}, request = {} } = more
    return outcome(age, storedWith(cacheControl(value), { delta }), {
      request,
      presented,
      context: { random: () => 1 - u, policy: { beta } },
    })
  }

  test('refreshes when now − β·δ·ln(u) reaches the expiry', () => {
    expect(early(99, Math.exp(-1))).toBe('reuse-and-revalidate: early-refresh')
    expect(early(99, Math.exp(-0.99))).toBe('reuse: fresh')
    expect(early(98, Math.exp(-2))).toBe('reuse-and-revalidate: early-refresh')
    expect(early(98, Math.exp(-2), { beta: 0.5 })).toBe('reuse: fresh')
    expect(early(99, 1)).toBe('reuse: fresh')
  })

  test('with β·δ of a quarter of the lifetime at most', () => {
    expect(early(75, Math.exp(-1), { delta: 999_000 })).toBe('reuse-and-revalidate: early-refresh')
    expect(early(75, Math.exp(-0.99), { delta: 999_000 })).toBe('reuse: fresh')
  })

  test.each([
    ['where β is 0', { beta: 0 }],
    ['for immutable (RFC 8246 §2)', { value: 'max-age=100, immutable' }],
    ['for force-cache', { presented: { cacheMode: 'force-cache' } }],
    ['for only-if-cached', { request: { 'cache-control': 'only-if-cached' } }],
  ] as ReadonlyArray<[string, object]>)('never %s', (_sentence, more) => {
    expect(early(99.999, Math.exp(-50), more)).toBe('reuse: fresh')
  })

  test('draws once', () => {
    let drawn = 0
    decisionAt(10, cacheControl('max-age=60'), { context: { random: () => drawn++, policy: { beta: 1 } } })
    expect(drawn).toBe(1)
  })
})

describe('a purge', () => {
  const stored = cacheControl('max-age=60, stale-while-revalidate=30, stale-if-error=30')

  test('soft makes stale from its moment on: the windows count from there', () => {
    expect(outcome(10, stored, { context: purges('soft', start + 5000) })).toBe(
      'reuse-and-revalidate: stale-while-revalidate',
    )
    expect(outcome(35, stored, { context: purges('soft', start + 5000) })).toBe(
      'reuse-and-revalidate: stale-while-revalidate',
    )
    expect(outcome(35.001, stored, { context: purges('soft', start + 5000) })).toBe('validate: purged')
  })

  test('soft never lets a window reach beyond where it would have ended anyway', () => {
    expect(outcome(95, stored, { context: purges('soft', start + 94_000) })).toBe('validate: purged')
  })

  test('soft by a clock ahead of ours is stale all the same', () => {
    expect(outcome(1, cacheControl('max-age=60'), { context: purges('soft', start + 99_000) })).toBe('validate: purged')
  })

  test('invalidate asks for validation before any use (RFC 9111 §4.4)', () => {
    expect(outcome(1, stored, { context: purges('invalidate') })).toBe('validate: invalidated')
    expect(outcome(1, { 'cache-control': 'max-age=60' }, { context: purges('invalidate') })).toBe(
      'forward: invalidated',
    )
  })
})

describe('a range (RFC 9110 §14.2, RFC 9111 §3.3)', () => {
  const part = (first: number, last: number, headers: Headers = {}) =>
    storedWith(
      { 'cache-control': 'max-age=60', ...headers },
      { status: 206, part: { first, last, size: 20 }, body: { id: 'p', size: last - first + 1 } },
    )
  const ask = (range: string | undefined, stored: readonly StoredResponse[], age = 0) =>
    decide(presentedWith(range === undefined ? {} : { range }), stored, contextAt(start + seconds(age)))
  const whole = storedWith({ 'cache-control': 'max-age=60' })

  test('is answered from a whole, and from a part that holds it', () => {
    expect(ask('bytes=0-4', [whole])).toMatchObject({ kind: 'reuse', stored: whole })
    expect(ask('bytes=6-8', [part(5, 9)])).toMatchObject({ kind: 'reuse' })
  })

  test('is forwarded when nothing stored holds it, or it is several', () => {
    expect(ask('bytes=0-4', [part(5, 9)])).toEqual({ kind: 'forward', cause: 'miss', why: 'partial' })
    expect(ask('bytes=0-1,3-4', [whole])).toEqual({ kind: 'forward', cause: 'miss', why: 'partial' })
  })

  test('a part never answers for the whole', () => {
    expect(ask(undefined, [part(5, 9)])).toEqual({ kind: 'forward', cause: 'miss', why: 'partial' })
    expect(ask(undefined, [part(0, 19)])).toMatchObject({ kind: 'forward' })
  })

  test('a fresh beginning is completed, a stale one is not', () => {
    const beginning = { ...part(0, 4), etag: '"v1"' }
    expect(ask(undefined, [beginning])).toEqual({ kind: 'forward', cause: 'miss', why: 'partial', partial: beginning })
    expect(ask(undefined, [beginning], 60)).toEqual({ kind: 'forward', cause: 'miss', why: 'partial' })
  })

  test('a beginning that its weak validator could not join to the rest is not completed (RFC 9110 §15.3.7.3)', () => {
    const beginning = { ...part(0, 4), etag: 'W/"v1"' }
    expect(ask(undefined, [beginning])).toEqual({ kind: 'forward', cause: 'miss', why: 'partial' })
  })
})

/* ── laws ── */

const optionalSeconds = fc.option(fc.constantFrom(0, 1, 30, 60, 600), { nil: undefined })
const modes = fc.constantFrom<CacheMode>('default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached')

const said = fc.record({
  maxAge: optionalSeconds,
  expires: fc.option(fc.constantFrom(-60, 0, 60, 600), { nil: undefined }),
  lastModified: fc.option(fc.constantFrom(0, 600, 86_400, 8_640_000), { nil: undefined }),
  swr: optionalSeconds,
  sie: optionalSeconds,
  noCache: fc.boolean(),
  mustRevalidate: fc.boolean(),
  immutable: fc.boolean(),
  /** Seconds that the response was under way, that the origin's clock is behind, that it was in other caches. */
  delay: fc.constantFrom(0, 5, 100),
  behind: fc.constantFrom(-100, 0, 100),
  age: fc.constantFrom(0, 40, 700),
})
const wanted = fc.record({
  mode: modes,
  maxAge: optionalSeconds,
  minFresh: optionalSeconds,
  maxStale: fc.option(fc.constantFrom(0, 30, 600, Number.POSITIVE_INFINITY), { nil: undefined }),
  callerMaxStale: optionalSeconds,
  sie: optionalSeconds,
  noCache: fc.boolean(),
  onlyIfCached: fc.boolean(),
})
const ruled = fc.record({
  maxAge: optionalSeconds,
  swr: optionalSeconds,
  sie: optionalSeconds,
  override: fc.boolean(),
  beta: fc.constantFrom(0, 1),
})
const purged = fc.option(
  fc.record({
    mode: fc.constantFrom<PurgeMode>('soft', 'invalidate', 'hard'),
    at: fc.constantFrom(-10, 0, 20, 100),
    before: fc.boolean(),
  }),
  { nil: undefined },
)
const moment = fc.constantFrom(-1, 0, 1, 29, 30, 59, 60, 61, 90, 100, 600, 660, 1200, 86_400, 10_000_000)
const situation = fc.record({ said, wanted, ruled, purged, moment, u: fc.constantFrom(0, 0.5, 0.999_999) })
type Case = typeof situation extends fc.Arbitrary<infer T> ? T : never

const directive = (name: string, value: number | undefined) =>
  value === undefined ? [] : [value === Number.POSITIVE_INFINITY ? name : `${name}=${value}`]

/** The case in the words of HTTP, as the library sees it. */
function asMessages({ said, wanted, ruled, purged, moment, u }: Case) {
  const response = [
    ...directive('max-age', said.maxAge),
    ...directive('stale-while-revalidate', said.swr),
    ...directive('stale-if-error', said.sie),
    ...(said.noCache ? ['no-cache'] : []),
    ...(said.mustRevalidate ? ['must-revalidate'] : []),
    ...(said.immutable ? ['immutable'] : []),
  ]
  const request = [
    ...directive('max-age', wanted.maxAge),
    ...directive('min-fresh', wanted.minFresh),
    ...directive('max-stale', wanted.maxStale),
    ...directive('stale-if-error', wanted.sie),
    ...(wanted.noCache ? ['no-cache'] : []),
    ...(wanted.onlyIfCached ? ['only-if-cached'] : []),
  ]
  const date = start - seconds(said.behind)
  const stored = storedWith(
    {
      ...validator,
      date: httpDate(date),
      ...(response.length > 0 && { 'cache-control': response.join() }),
      ...(said.expires !== undefined && { expires: httpDate(date + seconds(said.expires)) }),
      ...(said.lastModified !== undefined && { 'last-modified': httpDate(date - seconds(said.lastModified)) }),
      ...(said.age > 0 && { age: String(said.age) }),
    },
    { requestTime: start - seconds(said.delay), delta: 50_000, epoch: { incarnation: 'one', number: 5 } },
  )
  const presented = presentedWith(request.length > 0 ? { 'cache-control': request.join() } : {}, {
    cacheMode: wanted.mode,
    ...(wanted.callerMaxStale !== undefined && { maxStale: seconds(wanted.callerMaxStale) }),
  })
  const purge: PurgeRecord[] = purged
    ? [{ number: purged.before ? 4 : 6, mode: purged.mode, at: start + seconds(purged.at), selector: { all: true } }]
    : []
  const inMs = (value: number | undefined) => (value === undefined ? undefined : seconds(value))
  const policy = {
    maxAgeMs: inMs(ruled.maxAge),
    staleWhileRevalidateMs: inMs(ruled.swr),
    staleIfErrorMs: inMs(ruled.sie),
    override: ruled.override,
    beta: ruled.beta,
  }
  const context = contextAt(start + seconds(moment), { random: () => u, policy, log: logWith(purge) })
  return { stored, presented, context }
}

/**
 * A second reading of RFC 9111 §4 and RFC 5861, in seconds, from the case and not from the messages: what the most permissive
 * conformant private cache may do. `fresh`: use without further words. `stale`: use within a permission. `onError`: use when the origin failed.
 */
function mostPermitted({ said, wanted, ruled, purged, moment }: Case): {
  fresh: boolean
  stale: boolean
  background: boolean
  onError: boolean
} {
  const nothing = { fresh: false, stale: false, background: false, onError: false }
  const purge = purged && !purged.before ? purged : undefined
  if (purge?.mode === 'hard') return nothing
  const ignoresAge = (wanted.mode === 'force-cache' || wanted.mode === 'only-if-cached') && !purge && !wanted.noCache
  const isForbidden =
    said.noCache ||
    purge?.mode === 'invalidate' ||
    wanted.noCache ||
    wanted.mode === 'no-cache' ||
    wanted.mode === 'reload'

  const age = Math.max(0, said.behind, said.age + said.delay) + Math.max(0, moment)
  const explicit = said.maxAge ?? (said.expires === undefined ? undefined : Math.max(0, said.expires))
  const heuristic = said.lastModified === undefined ? 0 : Math.min(said.lastModified / 10, 86_400)
  const lifetime = ruled.override && ruled.maxAge !== undefined ? ruled.maxAge : (explicit ?? ruled.maxAge ?? heuristic)
  const window = (own: number | undefined, given: number | undefined) =>
    (ruled.override ? (given ?? own) : (own ?? given)) ?? 0

  const clockIsSane = moment >= 0
  const staleFor = clockIsSane
    ? Math.max(age - lifetime, purge ? Math.max(0, moment - purge.at) : Number.NEGATIVE_INFINITY)
    : Number.POSITIVE_INFINITY
  const isFresh = staleFor < 0
  const meetsRequest =
    age <= (wanted.maxAge ?? Number.POSITIVE_INFINITY) && -staleFor >= (wanted.minFresh ?? Number.NEGATIVE_INFINITY)
  const accepts = Math.max(wanted.maxStale ?? -1, wanted.callerMaxStale ?? -1)
  const mayBeStale = !said.mustRevalidate
  const isAccepted = mayBeStale && accepts >= 0 && staleFor <= accepts
  const noWish = age <= (wanted.maxAge ?? Number.POSITIVE_INFINITY) && !wanted.minFresh
  const background =
    mayBeStale && noWish && !isForbidden && window(said.swr, ruled.swr) > 0 && staleFor <= window(said.swr, ruled.swr)
  const sie = Math.max(window(said.sie, ruled.sie), wanted.sie ?? 0)
  return {
    fresh: ignoresAge || (!isForbidden && isFresh && meetsRequest),
    stale: ignoresAge || (!isForbidden && (isAccepted || background)),
    background: background || (!isForbidden && isFresh),
    onError:
      mayBeStale &&
      !said.noCache &&
      purge?.mode !== 'invalidate' &&
      !wanted.noCache &&
      wanted.mode !== 'no-cache' &&
      noWish &&
      sie > 0 &&
      staleFor <= sie,
  }
}

describe('laws', () => {
  test('law 1: nothing is used beyond what headers, request and rule allow, by a second reading of RFC 9111 §4', () => {
    fc.assert(
      fc.property(situation, (one) => {
        const { stored, presented, context } = asMessages(one)
        const { kind, cause } = decide(presented, [stored], context)
        const permitted = mostPermitted(one)
        if (kind === 'reuse' || kind === 'reuse-and-revalidate') {
          expect(permitted.fresh || permitted.stale).toBe(true)
          if (cause === 'fresh' || cause === 'early-refresh') expect(permitted.fresh).toBe(true)
          if (kind === 'reuse-and-revalidate') expect(permitted.background).toBe(true)
        }
        if (mayServeOnError(stored, presented, context)) expect(permitted.onError).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  test('and what is plainly fresh is used: a strict reading loses no reuse', () => {
    fc.assert(
      fc.property(situation, (one) => {
        const { stored, presented, context } = asMessages(one)
        if (mostPermitted(one).fresh) expect(decide(presented, [stored], context).kind).toMatch(/^reuse/)
        if (mostPermitted(one).onError) expect(mayServeOnError(stored, presented, context)).toBeDefined()
      }),
      { numRuns: 5000 },
    )
  })

  test('law 2: what a later purge covers is never fresh; after a hard purge it is not used at all, not even on error', () => {
    fc.assert(
      fc.property(situation, fc.constantFrom<PurgeMode>('soft', 'invalidate', 'hard'), (one, mode) => {
        const { stored, presented, context } = asMessages({ ...one, purged: { mode, at: 0, before: false } })
        const { kind, cause } = decide(presented, [stored], context)
        expect(cause).not.toMatch(/^(fresh|early-refresh)$/)
        if (mode === 'soft') return
        expect(kind).toMatch(/^(validate|forward|refuse)$/)
        expect(mayServeOnError(stored, presented, context)).toBeUndefined()
        if (mode === 'hard') expect(kind).not.toBe('validate')
      }),
      { numRuns: 5000 },
    )
  })

  test('a purge only shortens: what is used in spite of it would have been used without it', () => {
    fc.assert(
      fc.property(situation, fc.constantFrom<PurgeMode>('soft', 'invalidate', 'hard'), moment, (one, mode, at) => {
        const { stored, presented, context } = asMessages(one)
        const more = {
          ...context,
          log: logWith([...context.log.purges, { number: 9, mode, at: start + seconds(at), selector: { all: true } }]),
        }
        if (decide(presented, [stored], more).kind.startsWith('reuse')) {
          expect(decide(presented, [stored], context).kind).toMatch(/^reuse/)
        }
        if (mayServeOnError(stored, presented, more)) expect(mayServeOnError(stored, presented, context)).toBeDefined()
      }),
      { numRuns: 5000 },
    )
  })

  test('law 9: there is exactly one cause, and it goes with the kind', () => {
    const causes = {
      reuse: ['fresh', 'max-stale', 'stale-while-revalidate'],
      'reuse-and-revalidate': ['early-refresh', 'stale-while-revalidate'],
      validate: ['expired', 'no-cache', 'request-directive', 'purged', 'invalidated'],
      forward: ['purged', 'request-directive'],
      refuse: ['only-if-cached'],
    }
    fc.assert(
      fc.property(situation, (one) => {
        const { stored, presented, context } = asMessages(one)
        const { kind, cause } = decide(presented, [stored], context)
        expect(causes[kind]).toContain(cause)
      }),
      { numRuns: 5000 },
    )
  })

  test('the same arguments give the same answer, and are left as they were', () => {
    fc.assert(
      fc.property(situation, (one) => {
        const { stored, presented, context } = asMessages(one)
        const before = structuredClone(stored)
        expect(decide(presented, [stored], context)).toEqual(decide(presented, [stored], context))
        expect(stored).toEqual(before)
      }),
    )
  })
})
