/** One change in one file; `find` stands there exactly once. */
interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A bug that somebody once had, put into our code: the tests must find it. */
export interface Mutant {
  /** What the bug is. */
  readonly name: string
  readonly edits: readonly Edit[]
  /** Where tests that must find it are, from the root. */
  readonly tests: readonly string[]
}

const rules = ['test/http']
const engine = ['test/engine', 'test/faults']
const both = [...rules, ...engine]

const one = (name: string, file: string, find: string, replace: string, tests: readonly string[] = both): Mutant => ({
  name,
  edits: [{ file: `src/${file}`, find, replace }],
  tests,
})

export const mutants: readonly Mutant[] = [
  one(
    'fresh at lifetime = age (RFC 9111 §4.2)',
    'http/decide.ts',
    'if (staleForMs < 0 && ageMs <= maxAge',
    'if (staleForMs <= 0 && ageMs <= maxAge',
  ),
  one(
    'the stale-while-revalidate window counts from the response time (RFC 5861 §3)',
    'http/decide.ts',
    'if (staleForMs <= numbers.staleWhileRevalidateMs',
    'if (ageMs <= numbers.staleWhileRevalidateMs',
  ),
  one(
    'stale-if-error on 404, 429 and 501 too (RFC 5861 §4)',
    'http/decide.ts',
    'status === 500 || (status >= 502 && status <= 504)',
    '[404, 429].includes(status) || (status >= 500 && status <= 504)',
  ),
  one(
    'must-revalidate is ignored by the stale windows (RFC 9111 §5.2.2.2)',
    'http/decide.ts',
    'noCache === true || mustRevalidate || purge',
    'noCache === true || purge',
  ),
  one(
    'must-revalidate is ignored by stale-while-revalidate alone (RFC 9111 §5.2.2.2)',
    'http/decide.ts',
    'staleWhileRevalidateMs: prohibited',
    "staleWhileRevalidateMs: noCache === true || purge?.mode === 'invalidate'",
  ),
  one(
    'no-cache is ignored when the origin fails (RFC 9111 §5.2.2.4)',
    'http/decide.ts',
    'const prohibited = noCache === true || mustRevalidate',
    'const prohibited = mustRevalidate',
  ),
  one(
    'no-cache of the request is ignored when the origin fails (RFC 9111 §5.2.1.4)',
    'http/decide.ts',
    "if (purge?.mode === 'hard' || presented.directives.noCache || presented.cacheMode === 'no-cache')",
    "if (purge?.mode === 'hard')",
  ),
  one(
    'the stored Age survives a 304 (RFC 9111 §4.2.3)',
    'http/validation.ts',
    "name !== 'age' && name !== 'date'",
    "name !== 'date'",
  ),
  one(
    'waiting for the network does not count as age (RFC 9111 §4.2.3)',
    'http/current-age.ts',
    'Math.max(0, stored.responseTime - stored.requestTime)',
    '0',
  ),
  one(
    'Vary: * only as the sole value (RFC 9110 §12.5.5)',
    'http/nominated-fields.ts',
    "return names.every((name) => name !== '*' && isToken(name))",
    "return value.trim() !== '*'",
  ),
  one(
    'names in Vary are compared with their case (RFC 9111 §4.1)',
    'http/nominated-fields.ts',
    "const names = value.toLowerCase().split(',')",
    "const names = value.split(',')",
  ),
  one(
    'fields are looked up in a plain object',
    'http/fields.ts',
    '  let value: string | undefined\n  for (const [one, line] of headers) {',
    "  const fields: Record<string, string> = {}\n  for (const [one, line] of headers) fields[one] = fields[one] === undefined ? line : [fields[one], line].join(', ')\n  return fields[name]\n  let value: string | undefined\n  for (const [one, line] of headers) {",
  ),
  one(
    'a body counts as whole before it has ended',
    'engine/shared-body.ts',
    'if (done) {',
    'if (done || size > 0) {',
    engine,
  ),
  one(
    'the first part of a body is stored before the rest has come',
    'engine/shared-body.ts',
    '      chunks.push(value)',
    '      if (kept && size === 0) void onWhole(value.slice() as Uint8Array<ArrayBuffer>)\n      chunks.push(value)',
    engine,
  ),
  {
    name: 'what came before its last reader left is stored',
    edits: [
      {
        file: 'src/engine/shared-body.ts',
        find: 'if (leave() && idle()) onIdle()',
        replace: 'if (leave() && idle()) {\n        void onWhole(concatenate(chunks, size))\n        onIdle()\n      }',
      },
      {
        file: 'src/engine/shared-body.ts',
        find: '          if (idle()) onIdle()\n',
        replace:
          '          if (idle()) {\n            void onWhole(concatenate(chunks, size))\n            onIdle()\n          }\n',
      },
    ],
    tests: engine,
  },
  one(
    'what came before a stream failed is stored',
    'engine/shared-body.ts',
    'pump().catch((error: unknown) => finish({ error }))',
    'pump().catch(async (error: unknown) => {\n    await onWhole(concatenate(chunks, size))\n    finish({ error })\n  })',
    engine,
  ),
  one(
    'a redirected response is stored under the URL that was asked for',
    'engine/receive.ts',
    '(raw.redirected ? presentedAt(presented, raw.url, core.place) : rekeyed(presented, core.place))',
    'rekeyed(presented, core.place)',
    engine,
  ),
  one('a redirected 304 freshens', 'engine/exchange.ts', 'if (raw.redirected) return undefined', '', engine),
  one(
    'a 304 with another entity tag freshens (RFC 9111 §4.3.4)',
    'http/validation.ts',
    'if (isStrong(etag)) return candidates.filter((stored) => stored.etag === etag)',
    'if (isStrong(etag)) return candidates',
  ),
  one(
    'a 304 updates Content-Length and Content-Encoding (RFC 9111 §3.2)',
    'http/stored-fields.ts',
    "const frozen = ['content-encoding', 'content-length', ",
    'const frozen = [',
  ),
  one(
    'a response carries the epoch of its storing, not of its dispatch',
    'engine/receive.ts',
    'delta: core.now() - head.requestTime,',
    'epoch: core.store.epoch(),\n          delta: core.now() - head.requestTime,',
    engine,
  ),
  one(
    'a 304 carries the epoch of its arrival, not of its dispatch',
    'engine/exchange.ts',
    'const update = { headers, ...dispatch, responseTime,',
    'const update = { headers, ...dispatch, epoch: core.store.epoch(), responseTime,',
    engine,
  ),
  one(
    'what a HEAD freshens carries the epoch of its arrival, not of its dispatch',
    'engine/receive.ts',
    'const update = { headers, ...dispatch, responseTime,',
    'const update = { headers, ...dispatch, epoch: core.store.epoch(), responseTime,',
    engine,
  ),
  one(
    'reads do not look at the purge log',
    'http/purge-effect.ts',
    'if (!purge || purge.number <= asked) break',
    'if (purge) break',
  ),
  one(
    'those who joined a flight do not decide again (RFC 9111 §4)',
    'engine/ask.ts',
    "return again.kind === 'reuse' || again.kind === 'reuse-and-revalidate' ? again : undefined",
    "return again.kind === 'refuse' ? undefined : again",
    engine,
  ),
  one(
    "the first one's abort ends the request for all",
    'engine/flights.ts',
    'if (waiting > 0 || isRead()) return',
    'if (isRead()) return',
    engine,
  ),
  one(
    "the request goes out with its first caller's signal",
    'engine/exchange.ts',
    'method: request.method, headers, signal, ...(cache && { cache })',
    'method: request.method, headers, signal: presented.signal ?? signal, ...(cache && { cache })',
    engine,
  ),
  {
    name: 'POST requests are shared, and answered from the store',
    edits: [
      {
        file: 'src/engine/presented.ts',
        find: "method !== 'GET' && method !== 'HEAD'",
        replace: "method !== 'GET' && method !== 'HEAD' && method !== 'POST'",
      },
      { file: 'src/engine/ask.ts', find: "request.method !== 'GET' ||", replace: "request.method === 'HEAD' ||" },
    ],
    tests: engine,
  },
  one(
    'a failed unsafe request invalidates (RFC 9111 §4.4)',
    'http/invalidation.ts',
    'if (!isUnsafe(method) || status >= 400)',
    'if (!isUnsafe(method))',
  ),
  one(
    'another origin can be invalidated (RFC 9111 §4.4)',
    'http/url.ts',
    'url.origin === new URL(base).origin ?',
    'url.origin ?',
  ),
  one('a group of another origin can be invalidated (RFC 9875 §3)', 'http/tags.ts', 'origin}\\0', "'group'}\\0"),
  one(
    "a shared cache's lifetime is used (RFC 9111 §5.2.2.10)",
    'http/cache-control.ts',
    'const copies = said.get(key.replace(',
    "const copies = (key === 'maxAge' ? said.get('s-maxage') : undefined) ?? said.get(key.replace(",
  ),
  one(
    "a CDN's field gives the lifetime (RFC 9213)",
    'http/cache-control.ts',
    "read(headers, 'cache-control', ofResponses)",
    "read(headers, fieldValue(headers, 'cdn-cache-control') === undefined ? 'cache-control' : 'cdn-cache-control', ofResponses)",
  ),
  one(
    'immutable is a lifetime (RFC 8246 §2)',
    'http/freshness-lifetime.ts',
    "if (directives.maxAge !== undefined) return { ms: directives.maxAge, source: 'max-age' }",
    "if (directives.immutable) return { ms: 31_536_000_000, source: 'max-age' }\n  if (directives.maxAge !== undefined) return { ms: directives.maxAge, source: 'max-age' }",
  ),
  one('a hidden Vary counts as absent', 'http/nominated-fields.ts', "type === 'cors' ? 'unknown' : []", '[]'),
  one('a hidden Content-Encoding counts as absent', 'engine/keep.ts', "    stored.type === 'cors' ||\n", '', engine),
  one(
    'a failing store fails the read',
    'stores/layered.ts',
    "onNotice({ type: 'store-failed', operation, error })\n      return undefined",
    "onNotice({ type: 'store-failed', operation, error })\n      throw error",
    [...engine, 'test/stores'],
  ),
  one(
    'a clone is left unread',
    'engine/receive.ts',
    'collect(raw.body ?? emptyBody()',
    'collect(raw.clone().body ?? emptyBody()',
    engine,
  ),
  one(
    'dates of other forms are read (RFC 9110 §5.6.7)',
    'http/http-date.ts',
    'export function parseHttpDate(text: string, now: EpochMs): EpochMs | undefined {',
    'export function parseHttpDate(text: string, now: EpochMs): EpochMs | undefined {\n  if (!Number.isNaN(Date.parse(text))) return Date.parse(text)',
  ),
  one(
    'a great max-age becomes negative (RFC 9111 §1.2.2)',
    'http/cache-control.ts',
    'Math.min(Number(text), MAX_SECONDS) * 1000',
    '(Number(text) | 0) * 1000',
  ),
  one(
    "an origin's error is stored over a good response",
    'engine/keep.ts',
    '(stored.status >= 500 && other.status < 500)',
    '(stored.status >= 600 && other.status < 500)',
    engine,
  ),
  {
    name: 'what a purge covers is a matter of clocks',
    edits: [
      {
        file: 'src/http/purge-effect.ts',
        find: "{ epoch, url, tags }: Pick<StoredResponse, 'epoch' | 'url' | 'tags'>,",
        replace: '{ epoch, url, tags, responseTime }: StoredResponse,',
      },
      {
        file: 'src/http/purge-effect.ts',
        find: 'purge.number <= asked) break',
        replace: 'purge.at <= responseTime) break',
      },
    ],
    tests: both,
  },
]
