import { describe, expect, test } from 'vitest'
import { type Asked, kindOf, matchersOf, planFor, ruleOf, staticRoutes } from '../../src/service-worker/routes.ts'
import type { Route } from '../../src/validate/worker-options.ts'

const ORIGIN = 'https://shop.test'

const asked = (url: string, more: Partial<Asked> = {}): Asked => ({
  url: new URL(url, ORIGIN).href,
  method: 'GET',
  mode: 'cors',
  destination: '',
  cache: 'default',
  headers: new Headers(),
  ...more,
})
const plan = (routes: readonly Route[], one: Asked) =>
  planFor(one, matchersOf(routes, `${ORIGIN}/sw.js`), ORIGIN, () => new Request(one.url))

test.each([
  ['navigate', 'document', 'navigation'],
  ['navigate', 'iframe', 'navigation'],
  ['no-cors', 'script', 'asset'],
  ['cors', 'font', 'asset'],
  ['no-cors', 'image', 'image'],
  ['no-cors', 'video', 'media'],
  ['cors', '', 'api'],
] as const)(
  'a request of mode %s for “%s” is of the kind %s (Fetch, request destination)',
  (mode, destination, kind) => {
    expect(kindOf({ mode, destination })).toBe(kind)
  },
)

describe('the first route that matches is the request’s', () => {
  const routes: readonly Route[] = [
    { match: '/api/private/*', strategy: 'network' },
    { match: '/api/*', name: 'data' },
    { kind: 'image', name: 'pictures' },
    { match: { test: (url) => url.endsWith('.pdf') }, name: 'papers' },
    { match: (request) => request.url.includes('old'), name: 'old' },
    { match: 'https://cdn.test/*', name: 'cdn', opaque: true },
  ]
  const nameOf = (one: Asked) => {
    const planned = plan(routes, one)
    return planned === 'pass' ? 'pass' : planned.route?.name
  }
  test.each([
    ['/api/private/me', {}, 'pass'],
    ['/api/cups?page=2', {}, 'data'],
    ['/api/cups', { destination: 'image' }, 'data'],
    ['/cup.webp', { mode: 'no-cors', destination: 'image' }, 'pictures'],
    ['/a.pdf', {}, 'papers'],
    ['/old', {}, 'old'],
    ['/else', {}, undefined],
    ['https://cdn.test/a.png', { mode: 'no-cors', destination: 'image' }, 'cdn'],
    ['https://cdn.test/a.mp4', { mode: 'no-cors', headers: new Headers({ range: 'bytes=0-' }) }, 'pass'],
    ['https://other.test/a.png', { mode: 'no-cors', destination: 'image' }, 'pass'],
  ] as const)('%s %o: %s', (url, more, name) => {
    expect(nameOf(asked(url, more))).toBe(name)
  })

  test('a picture of another origin is none of a route that names no URL', () => {
    expect(plan([{ kind: 'image' }], asked('https://other.test/a', { destination: 'image' }))).toBe('pass')
  })

  test('without `opaque`, what no script may look into is left alone', () => {
    expect(plan([{ match: 'https://cdn.test/*' }], asked('https://cdn.test/a', { mode: 'no-cors' }))).toBe('pass')
  })
})

test.each<[Route, object]>([
  [{ name: 'a', match: '/x', kind: 'api' }, { name: 'a' }],
  [
    { strategy: 'network-first', staleIfErrorMs: 5 },
    { maxAgeMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs: 5, override: true },
  ],
  [
    { strategy: 'stale-while-revalidate', staleWhileRevalidateMs: 7, staleIfErrorMs: 8 },
    { staleWhileRevalidateMs: 7, staleIfErrorMs: 8, override: true },
  ],
])('the rule of %o', (route, rule) => {
  expect(ruleOf(route)).toEqual(rule)
})

describe('static routes (Service Workers, addRoutes)', () => {
  test('are made of what goes to the network before anything else, by URL alone', () => {
    const routes: readonly Route[] = [
      { match: '/admin/*', strategy: 'network' },
      { match: 'https://ads.test:8443/(x)', strategy: 'network' },
      { match: '/search?q=*', strategy: 'network' },
      { match: '/a', kind: 'api', strategy: 'network' },
      { match: '/api/*' },
      { match: '/late/*', strategy: 'network' },
    ]
    expect(staticRoutes(routes, `${ORIGIN}/sw.js`).map(({ condition }) => condition.urlPattern)).toEqual([
      { protocol: 'https', hostname: 'shop.test', port: '', pathname: '/admin/*', search: '*' },
      { protocol: 'https', hostname: 'ads.test', port: '8443', pathname: '/\\(x\\)', search: '' },
    ])
  })
})
