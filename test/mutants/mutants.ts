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
  /** The test files that must find it, from the root: as few as do, since all mutants together must not take long. */
  readonly tests: readonly string[]
}

const one = (name: string, file: string, find: string, replace: string, tests: readonly string[]): Mutant => ({
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
    ['test/http/decide.test.ts'],
  ),
  one(
    'the stale-while-revalidate window counts from the response time (RFC 5861 §3)',
    'http/decide.ts',
    'if (staleForMs <= numbers.staleWhileRevalidateMs',
    'if (ageMs <= numbers.staleWhileRevalidateMs',
    ['test/http/decide.test.ts'],
  ),
  one(
    'stale-if-error on 404, 429 and 501 too (RFC 5861 §4)',
    'http/decide.ts',
    'status === 500 || (status >= 502 && status <= 504)',
    '[404, 429].includes(status) || (status >= 500 && status <= 504)',
    ['test/http/decide.test.ts'],
  ),
  one(
    'must-revalidate is ignored by the stale windows (RFC 9111 §5.2.2.2)',
    'http/decide.ts',
    'noCache === true || mustRevalidate || purge',
    'noCache === true || purge',
    ['test/http/decide.test.ts'],
  ),
  one(
    'must-revalidate is ignored by stale-while-revalidate alone (RFC 9111 §5.2.2.2)',
    'http/decide.ts',
    'staleWhileRevalidateMs: prohibited',
    "staleWhileRevalidateMs: noCache === true || purge?.mode === 'invalidate'",
    ['test/http/decide.test.ts'],
  ),
  one(
    'no-cache is ignored when the origin fails (RFC 9111 §5.2.2.4)',
    'http/decide.ts',
    'const prohibited = noCache === true || mustRevalidate',
    'const prohibited = mustRevalidate',
    ['test/http/decide.test.ts'],
  ),
  one(
    'no-cache of the request is ignored when the origin fails (RFC 9111 §5.2.1.4)',
    'http/decide.ts',
    "if (purge?.mode === 'hard' || presented.directives.noCache || presented.cacheMode === 'no-cache')",
    "if (purge?.mode === 'hard')",
    ['test/http/decide.test.ts', 'test/engine/stale-if-error.test.ts'],
  ),
  one(
    'the stored Age survives a 304 (RFC 9111 §4.2.3)',
    'http/validation.ts',
    "name !== 'age' && name !== 'date'",
    "name !== 'date'",
    ['test/http/validation.test.ts'],
  ),
  one(
    'waiting for the network does not count as age (RFC 9111 §4.2.3)',
    'http/current-age.ts',
    'Math.max(0, stored.responseTime - stored.requestTime)',
    '0',
    ['test/http/current-age.test.ts'],
  ),
  one(
    'Vary: * only as the sole value (RFC 9110 §12.5.5)',
    'http/nominated-fields.ts',
    "return names.every((name) => name !== '*' && isToken(name))",
    "return value.trim() !== '*'",
    ['test/http/nominated-fields.test.ts'],
  ),
  one(
    'names in Vary are compared with their case (RFC 9111 §4.1)',
    'http/nominated-fields.ts',
    "const names = value.toLowerCase().split(',')",
    "const names = value.split(',')",
    ['test/http/nominated-fields.test.ts'],
  ),
  one(
    'fields are looked up in a plain object',
    'http/fields.ts',
    '  let value: string | undefined\n  for (const [one, line] of headers) {',
    "  const fields: Record<string, string> = {}\n  for (const [one, line] of headers) fields[one] = fields[one] === undefined ? line : [fields[one], line].join(', ')\n  return fields[name]\n  let value: string | undefined\n  for (const [one, line] of headers) {",
    ['test/http/fields.test.ts'],
  ),
  one('a body counts as whole before it has ended', 'engine/shared-body.ts', 'if (done) {', 'if (done || size > 0) {', [
    'test/engine/shared-body.test.ts',
  ]),
  one(
    'the first part of a body is stored before the rest has come',
    'engine/shared-body.ts',
    '      chunks.push(value)',
    '      if (kept && size === 0) void onWhole(value.slice() as Uint8Array<ArrayBuffer>)\n      chunks.push(value)',
    ['test/engine/shared-body.test.ts'],
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
    tests: ['test/engine/stopped-bodies.test.ts', 'test/faults/endless-bodies.test.ts'],
  },
  one(
    'what came before a stream failed is stored',
    'engine/shared-body.ts',
    'pump().catch((error: unknown) => finish({ error }))',
    'pump().catch(async (error: unknown) => {\n    await onWhole(concatenate(chunks, size))\n    finish({ error })\n  })',
    ['test/engine/shared-body.test.ts', 'test/faults/broken-bodies.test.ts'],
  ),
  one(
    'a redirected response is stored under the URL that was asked for',
    'engine/receive.ts',
    '(raw.redirected ? presentedAt(presented, raw.url, core.place) : rekeyed(presented, core.place))',
    'rekeyed(presented, core.place)',
    ['test/engine/redirects.test.ts'],
  ),
  one('a redirected 304 freshens', 'engine/exchange.ts', 'if (raw.redirected) return undefined', '', [
    'test/engine/validation.test.ts',
    'test/faults/redirect-trouble.test.ts',
  ]),
  one(
    'a 304 with another entity tag freshens (RFC 9111 §4.3.4)',
    'http/validation.ts',
    'if (isStrong(etag)) return candidates.filter((stored) => stored.etag === etag)',
    'if (isStrong(etag)) return candidates',
    ['test/http/validation.test.ts'],
  ),
  one(
    'a 304 updates Content-Length and Content-Encoding (RFC 9111 §3.2)',
    'http/stored-fields.ts',
    "const frozen = ['content-encoding', 'content-length', ",
    'const frozen = [',
    ['test/http/stored-fields.test.ts'],
  ),
  one(
    'a response carries the epoch of its storing, not of its dispatch',
    'engine/receive.ts',
    'delta: core.now() - head.requestTime,',
    'epoch: core.store.epoch(),\n          delta: core.now() - head.requestTime,',
    ['test/engine/purge-races.test.ts'],
  ),
  one(
    'a 304 carries the epoch of its arrival, not of its dispatch',
    'engine/exchange.ts',
    'const update = { headers, ...dispatch, responseTime,',
    'const update = { headers, ...dispatch, epoch: core.store.epoch(), responseTime,',
    ['test/engine/validation-and-purges.test.ts'],
  ),
  one(
    'what a HEAD freshens carries the epoch of its arrival, not its own',
    'engine/receive.ts',
    'core), epoch }',
    'core), epoch: core.store.epoch() }',
    ['test/engine/head-and-purges.test.ts'],
  ),
  one(
    'reads do not look at the purge log',
    'http/purge-effect.ts',
    'if (!purge || purge.number <= asked) break',
    'if (purge) break',
    ['test/http/purge-effect.test.ts'],
  ),
  one(
    'those who joined a flight do not decide again (RFC 9111 §4)',
    'engine/ask.ts',
    "return again.kind === 'reuse' || again.kind === 'reuse-and-revalidate' ? again : undefined",
    "return again.kind === 'refuse' ? undefined : again",
    ['test/engine/single-flight.test.ts'],
  ),
  one(
    "the first one's abort ends the request for all",
    'engine/flights.ts',
    'if (waiting > 0 || isRead()) return',
    'if (isRead()) return',
    ['test/engine/abort.test.ts'],
  ),
  one(
    "the request goes out with its first caller's signal",
    'engine/exchange.ts',
    'method: request.method, headers, signal, ...(cache && { cache })',
    'method: request.method, headers, signal: presented.signal ?? signal, ...(cache && { cache })',
    ['test/engine/abort.test.ts'],
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
    tests: ['test/engine/unsafe-methods.test.ts'],
  },
  one(
    'a failed unsafe request invalidates (RFC 9111 §4.4)',
    'http/invalidation.ts',
    'if (!isUnsafe(method) || status >= 400)',
    'if (!isUnsafe(method))',
    ['test/http/invalidation.test.ts'],
  ),
  one(
    'another origin can be invalidated (RFC 9111 §4.4)',
    'http/url.ts',
    'url.origin === new URL(base).origin ?',
    'url.origin ?',
    ['test/http/invalidation.test.ts'],
  ),
  one('a group of another origin can be invalidated (RFC 9875 §3)', 'http/tags.ts', 'origin}\\0', "'group'}\\0", [
    'test/http/tags.test.ts',
  ]),
  one(
    "a shared cache's lifetime is used (RFC 9111 §5.2.2.10)",
    'http/cache-control.ts',
    'const copies = said.get(key.replace(',
    "const copies = (key === 'maxAge' ? said.get('s-maxage') : undefined) ?? said.get(key.replace(",
    ['test/http/cache-control.test.ts'],
  ),
  one(
    "a CDN's field gives the lifetime (RFC 9213)",
    'http/cache-control.ts',
    "read(headers, 'cache-control', ofResponses)",
    "read(headers, fieldValue(headers, 'cdn-cache-control') === undefined ? 'cache-control' : 'cdn-cache-control', ofResponses)",
    ['test/http/cache-control.test.ts', 'test/http/stored-response.test.ts'],
  ),
  one(
    'immutable is a lifetime (RFC 8246 §2)',
    'http/freshness-lifetime.ts',
    "if (directives.maxAge !== undefined) return { ms: directives.maxAge, source: 'max-age' }",
    "if (directives.immutable) return { ms: 31_536_000_000, source: 'max-age' }\n  if (directives.maxAge !== undefined) return { ms: directives.maxAge, source: 'max-age' }",
    ['test/http/freshness-lifetime.test.ts'],
  ),
  one('a hidden Vary counts as absent', 'http/nominated-fields.ts', "type === 'cors' ? 'unknown' : []", '[]', [
    'test/http/nominated-fields.test.ts',
  ]),
  one('a hidden Content-Encoding counts as absent', 'engine/keep.ts', "    stored.type === 'cors' ||\n", '', [
    'test/engine/cross-origin.test.ts',
  ]),
  one(
    'a failing store fails the read',
    'stores/layered.ts',
    "onNotice({ type: 'store-failed', operation, error })\n      return undefined",
    "onNotice({ type: 'store-failed', operation, error })\n      throw error",
    ['test/stores/layered.test.ts'],
  ),
  one(
    'a clone is left unread',
    'engine/receive.ts',
    'collect(raw.body ?? emptyBody()',
    'collect(raw.clone().body ?? emptyBody()',
    ['test/engine/streaming.test.ts'],
  ),
  one(
    'dates of other forms are read (RFC 9110 §5.6.7)',
    'http/http-date.ts',
    'export function parseHttpDate(text: string, now: EpochMs): EpochMs | undefined {',
    'export function parseHttpDate(text: string, now: EpochMs): EpochMs | undefined {\n  if (!Number.isNaN(Date.parse(text))) return Date.parse(text)',
    ['test/http/http-date.test.ts'],
  ),
  one(
    'a great max-age becomes negative (RFC 9111 §1.2.2)',
    'http/cache-control.ts',
    'Math.min(Number(text), MAX_SECONDS) * 1000',
    '(Number(text) | 0) * 1000',
    ['test/http/cache-control.test.ts'],
  ),
  one(
    "an origin's error is stored over a good response",
    'engine/keep.ts',
    '(stored.status >= 500 && other.status < 500)',
    '(stored.status >= 600 && other.status < 500)',
    ['test/engine/stale-if-error.test.ts'],
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
    tests: ['test/http/purge-effect.test.ts'],
  },
  {
    name: "a user's responses lie on disk in everyone's place (law 5)",
    edits: [
      {
        file: 'src/stores/layered.ts',
        find: "    const { partition } = mine\n    const snapshot = await look([['record', partition, key]], mine)",
        replace: "    const partition = ''\n    const snapshot = await look([['record', partition, key]], mine)",
      },
      {
        file: 'src/stores/layered.ts',
        find: '    const { partition } = mine\n    // A purge that this store does not have',
        replace: "    const partition = ''\n    // A purge that this store does not have",
      },
    ],
    tests: ['test/engine/set-partition.test.ts'],
  },
  one(
    'the place of a record in a database does not name its partition',
    'stores/memory.ts',
    ': JSON.stringify([partition, ...key])',
    ': JSON.stringify(key)',
    ['test/stores/store-contract.test.ts'],
  ),
  one(
    'the place of a body that lies apart does not name its partition',
    'stores/indexeddb.ts',
    "  'body',\n  partition,\n",
    "  'body',\n  '',\n",
    ['test/stores/store-contract.test.ts'],
  ),
  one(
    'a purge gets its number from the log as last seen, outside its transaction',
    'stores/indexeddb.ts',
    'let log = before ?? emptyLog(token(random))',
    'let log = (seen?.incarnation === before?.incarnation ? seen : before) ?? emptyLog(token(random))',
    ['test/stores/indexeddb.test.ts'],
  ),
  one(
    'a transaction is not committed, but left to end by itself',
    'stores/connection.ts',
    '        attempt(() => transaction.commit?.())\n',
    '',
    ['test/stores/indexeddb.test.ts'],
  ),
  one(
    'nobody watches a database that does not answer',
    'stores/connection.ts',
    'const late = clock.sleep(deadlineMs, timer.signal).then(() => {',
    'const late = clock.sleep(Number.MAX_SAFE_INTEGER, timer.signal).then(() => {',
    ['test/faults/hung-databases.test.ts'],
  ),
  one(
    'entering a partition leaves the one before on disk',
    'stores/indexeddb.ts',
    '        objects.delete(named)\n',
    '',
    ['test/stores/store-contract.test.ts'],
  ),
  one(
    'signing out clears memory only',
    'stores/layered.ts',
    '      tenancy.isNew = true\n      return enter(tenancy)',
    '      return undefined',
    ['test/engine/set-partition.test.ts'],
  ),
  one(
    'the partition that is left can be read until the disk has forgotten it',
    'create-cache.ts',
    '    if (!isSame) {\n      end(session)',
    '    if (!isSame) {\n      await durable?.enter?.(partition).catch(() => {})\n      end(session)',
    ['test/engine/set-partition.test.ts'],
  ),
  one(
    'memory still holds the partition that was left',
    'stores/layered.ts',
    '    left.isOpen = false\n    memory.clear()\n',
    '    left.isOpen = false\n',
    ['test/stores/layered-partitions.test.ts'],
  ),
  one(
    'a stopped body is stored as the whole',
    'engine/shared-body.ts',
    '      if (end) return // a stopped source ends as a whole one does\n',
    '',
    ['test/engine/shared-body-stop.test.ts'],
  ),
  one('a record of another format version is used (law 11)', 'stores/stored-record.ts', '  value.v === 1 &&\n', '', [
    'test/stores/future-formats.test.ts',
  ]),
  one('a response of another format version is used (law 11)', 'stores/stored-record.ts', '    v === 1 &&\n', '', [
    'test/stores/future-formats.test.ts',
  ]),
  one(
    'damaged data is used: nobody looks at the checksum (FAULTS F-10)',
    'stores/seal.ts',
    "'sum' in value && value.sum === sumOf(value, key)",
    "'sum' in value",
    ['test/faults/damaged-records.test.ts'],
  ),
  one(
    'an optimistic value ends with a response that was asked for before it',
    'engine/json-views.ts',
    'since > sequence && by !== sequence',
    'false && since > sequence && by !== sequence',
    ['test/engine/optimistic-writes.test.ts'],
  ),
  one(
    'an optimistic value ends with a response that was asked for while its write was under way',
    'engine/json-views.ts',
    '{ by, since: Number.POSITIVE_INFINITY }',
    '{ by }',
    ['test/engine/optimistic-writes.test.ts'],
  ),
  one(
    'a view asks the origin when the page is seen again, however fresh (F-86)',
    'react/request-view.ts',
    'if (watchers.size > 0) read()\n      })',
    "if (watchers.size > 0) read('no-cache')\n      })",
    ['test/react/views.test.ts'],
  ),
  one(
    'all pages ask in one moment when the origin is back (F-86)',
    'react/request-view.ts',
    'random() * SPREAD_MS[event]',
    'SPREAD_MS[event]',
    ['test/react/views.test.ts'],
  ),
]
