import { expect, test } from 'vitest'
import { decide } from '../../src/http/decide.ts'
import type { HeaderList } from '../../src/http/message.ts'
import { storability } from '../../src/http/storable.ts'
import { tagsOf } from '../../src/http/tags.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { contextAt, presentedWith, start, storedWith, url } from './builders.ts'

// Another reading of the RFCs than ours, that knows what each piece means because it has chosen it: both must agree on every response.

const random = seededRandom(Number(process.env.PROPERTY_SEED ?? 77))
/** How many field values are tried: a million in `npm run faults`. */
const VALUES = Number(process.env.FUZZ_VALUES ?? 200_000)
const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const some = <T>(list: readonly T[], most: number): T[] =>
  Array.from({ length: Math.floor(random() * (most + 1)) }, () => oneOf(list))

const second = 1_000
const forever = 2 ** 31
const date = (offset: number) => new Date(start + offset * second).toUTCString()

/** Members of `Cache-Control`: the seconds of a `max-age`, `never` for what must not be reused, nothing for what means nothing here. */
const directives: ReadonlyArray<readonly [text: string, meaning?: number | 'never' | 'public']> = [
  ...[0, 1, 59, 60, 61, 600].map((age) => [`max-age=${age}`, age] as const),
  ['max-age="60"', 60],
  ['MAX-AGE=60', 60],
  ['max-age=060', 60],
  ['max-age=99999999999999999999', forever],
  ...['max-age', 'max-age=', 'max-age=-1', 'max-age=1.5', 'max-age=6 0', 'max-age =60', 'max-age= 60', 'max-age=60s']
    .concat('x max-age=60', "max-age='60'", 'max-age=+60')
    .map((text) => [text, 0] as const),
  ...['no-store', 'No-Store', 'no-store=1', 'no-cache', 'NO-CACHE', 'no-cache=""', 'no-cache=","', 'no-cache = "a"']
    .concat('x no-store', 'no-store;', 'no-cache="a b"')
    .map((text) => [text, 'never'] as const),
  ...['s-maxage=99', 'private', 'public2', 'proxy-revalidate', 'x', 'x=1', 'x="max-age=9"', 'x="\\"no-store\\""', '']
    .concat('stale-if-error=9', 'immutable', 'must-revalidate', 'maxage=9', 'max-age2=9', '__proto__=1', 'no-storee')
    .map((text) => [text] as const),
  ['public', 'public'],
]
const ages: ReadonlyArray<readonly [string, number]> = [
  ...[0, 1, 59, 60].map((age) => [String(age), age] as const),
  ['60, 1', 60],
  [',1', 1],
  ['99999999999', forever],
  ...['-1', '1.5', '1 2', 'x', '', '60;a=1', '0x10'].map((text) => [text, 0] as const),
]
/** In seconds from the response; `undefined` is unreadable. */
const dates: ReadonlyArray<readonly [string, number | undefined]> = [
  ...[-3600, -60, -59, -1, 0, 1, 60, 61, 3600].map((offset) => [date(offset), offset] as const),
  ['Monday, 05-Jan-26 12:01:00 GMT', 60],
  ['Mon Jan  5 12:01:00 2026', 60],
  ['mon, 05 jan 2026 12:01:00 gmt', 60],
  ...['0', '-1', '', 'now', '2026-01-05T12:01:00Z', 'Mon, 05 Jan 2026 12:01:00 UTC', 'Mon, 5 Jan 2026 12:01:00 GMT']
    .concat('Mon, 32 Jan 2026 12:01:00 GMT', `${date(60)}, ${date(60)}`, `${date(60)} `.trim().replace(',', ''))
    .map((text) => [text, undefined] as const),
]
const varies: ReadonlyArray<readonly [string, matches: boolean]> = [
  ...['x-same', 'X-SAME, accept-encoding', 'origin', '', ',', 'constructor', 'x-absent, x-same'].map(
    (t) => [t, true] as const,
  ),
  ...['*', '*, x-same', 'x-same,*', ' *\t', 'x-other', 'x-same, x-other', 'cookie', 'Authorization', 'a b', '"x-same"']
    .concat('x-new', 'referer')
    .map((text) => [text, false] as const),
]
const junk = () => Array.from({ length: Math.floor(random() * 12) }, () => String.fromCharCode(random() * 256)).join('')
const noise = [
  'etag',
  'last-modified2',
  'cache-tag',
  'surrogate-key',
  'cache-groups',
  'no-vary-search',
  'cache-status',
  'pragma',
  '__proto__',
  'content-range',
  'connection',
]

/** One response, and whether it may be used `after` seconds later without asking anyone, by the pieces that it is made of. */
function response() {
  const headers: Array<[string, string]> = some(noise, 3).map((name) => [
    name,
    name === 'connection' ? 'close' : junk(),
  ])
  const said = some(directives, 3)
  const lines = random() < 0.5 ? [said.map(([text]) => text).join(', ')] : said.map(([text]) => text)
  for (const line of lines) headers.push(['cache-control', line])
  const pick = <T>(name: string, list: ReadonlyArray<readonly [string, T]>): T | 'absent' => {
    if (random() < 0.5) return 'absent'
    const [text, meaning] = oneOf(list)
    headers.push([name, text])
    return meaning
  }
  const age = pick('age', ages)
  const dated = pick('date', dates)
  const expires = pick('expires', dates)
  const modified = pick('last-modified', dates)
  const varied = pick('vary', varies)
  const after = oneOf([0, 1, 58, 59, 60, 61, 3600])

  const meant = said.map(([, meaning]) => meaning)
  const maxAges = meant.filter((meaning) => typeof meaning === 'number')
  const at = typeof dated === 'number' ? dated : 0
  let lifetime = 0
  if (maxAges.length > 0) lifetime = new Set(maxAges).size === 1 ? (maxAges[0] as number) : 0
  else if (expires !== 'absent') lifetime = expires === undefined ? 0 : Math.max(0, expires - at)
  else if (typeof modified === 'number') lifetime = Math.min(Math.max(0, at - modified) / 10, 86_400)
  const now = Math.max(Math.max(0, -at), typeof age === 'number' ? age : 0) + after
  const mayUse = !meant.includes('never') && varied !== false && now < Math.min(lifetime, forever)
  return { headers: headers as HeaderList, after, mayUse }
}

test(`F-77: ${VALUES} random field values, alone and together: nothing throws, and exactly what another reading finds fresh is used (RFC 9111 §4, R7)`, () => {
  const presented = presentedWith([
    ['x-same', 'a'],
    ['x-new', 'n'],
  ])
  let values = 0
  let used = 0
  while (values < VALUES) {
    const { headers, after, mayUse } = response()
    values += headers.length
    const stored = storedWith(headers, {
      request: [
        ['x-same', 'a'],
        ['x-other', 'o'],
      ],
    })
    const isStored =
      storability({ request: presented, status: 200, headers, directives: stored.directives }) === 'storable'
    if (random() < 0.1) tagsOf(headers, url)
    const { kind } = decide(presented, [stored], contextAt(start + after * second))
    const isUsed = isStored && kind === 'reuse'
    if (isUsed !== mayUse) expect(kind, JSON.stringify([headers, after])).toBe(mayUse ? 'reuse' : 'another')
    if (mayUse) used++
  }
  // The fuzz finds both.
  expect(used).toBeGreaterThan(VALUES / 1_000)
}, 300_000)
