import { expect, test } from 'vitest'
import type { StoredResponse } from '../../src/http/message.ts'
import type { Store } from '../../src/index.ts'
import { harness } from './harness.ts'

/** A durable store that notes everything it is given, as text. */
function recordingStore() {
  const responses = new Map<string, { responses: readonly StoredResponse[] }>()
  const log = { incarnation: 'disk', last: 0, floor: 0, purges: [] }
  const written: string[] = []
  const text = (value: unknown) =>
    JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? new TextDecoder().decode(part) : part))
  const snapshot = {
    log,
    record: (partition: string, key: readonly string[]) => responses.get(text([partition, key])) as never,
    body: () => undefined,
  }
  const store: Store = {
    async read() {
      return snapshot
    },
    async update(_, change) {
      for (const write of change(snapshot)) {
        written.push(text(write))
        if (write.kind === 'record') responses.set(text([write.partition, write.key]), write.value as never)
      }
      return log
    },
  }
  return { store, written }
}

const canary = { json: { secret: 'canary' }, cacheControl: 'max-age=60' }

test('what anyone may see is written to the durable store', async () => {
  const { store, written } = recordingStore()
  const { cache, origin } = harness({ store })
  origin.serves('/a', canary)
  await cache.json('/a')
  await cache.settled()
  expect(written.join()).toContain('canary')
})

test.each([
  ['a request with Authorization', canary, { headers: { authorization: 'Bearer canary' } }],
  ['a request with a Cookie', canary, { headers: { cookie: 'canary' } }],
  ["credentials: 'include'", canary, { credentials: 'include' as const }],
  ['private', { ...canary, cacheControl: 'private, max-age=60' }, {}],
  ['private with fields', { ...canary, cacheControl: 'private="x-user", max-age=60' }, {}],
  [
    'a response that varies by Authorization',
    { ...canary, vary: 'Authorization' },
    { headers: { authorization: 'canary' } },
  ],
])('without a partition %s stays in memory', async (_, response, init) => {
  const { store, written } = recordingStore()
  const { cache, origin, clock } = harness({ store })
  origin.serves('/me', { etag: '"v1"', ...response })
  for (let turn = 0; turn < 2; turn++) expect(await cache.json('/me', init)).toEqual({ secret: 'canary' })
  expect(origin.requests).toHaveLength(1)
  await clock.advance(60_000)
  await cache.json('/me', init)
  await cache.purge({ url: '/me' })
  await cache.json('/me', init)
  await cache.settled()
  expect(written.join()).not.toContain('canary')
  expect(origin.requests.length).toBeGreaterThan(1)
})

test('a rule with durable: false keeps its responses in memory', async () => {
  const { store, written } = recordingStore()
  const { cache, origin } = harness({ store, rules: [{ match: '/a', durable: false }] })
  origin.serves('/a', canary)
  await cache.json('/a')
  await cache.settled()
  expect(written.join()).not.toContain('canary')
})

test('in a partition what is one user’s is durable, under that user’s name', async () => {
  const { store, written } = recordingStore()
  const { cache, origin } = harness({ store, partition: 'ada' })
  origin.serves('/me', { ...canary, cacheControl: 'private, max-age=60' })
  await cache.json('/me', { headers: { authorization: 'Bearer x' } })
  await cache.settled()
  expect(written.join()).toContain('canary')
  for (const write of written) expect(JSON.parse(write)).toMatchObject({ partition: 'ada' })
})

test('one partition never sees what another has stored (law 5)', async () => {
  const { store } = recordingStore()
  const users = ['ada', 'bob', undefined].map((user) => {
    const all = harness({ store, ...(user !== undefined && { partition: user }) })
    all.origin.serves('/me', { cacheControl: 'max-age=600', json: { user: user ?? 'nobody' } })
    return { ...all, user: user ?? 'nobody' }
  })
  for (let turn = 0; turn < 3; turn++) {
    for (const { cache, user } of users) {
      expect(await cache.json('/me')).toEqual({ user })
      await cache.settled()
    }
  }
})

test('without a partition Authorization is part of the key: another value, another response (RFC 9110 §11.6.2)', async () => {
  const { cache, origin } = harness()
  origin.serves('/me', ({ headers }) => ({ cacheControl: 'max-age=600', json: headers.authorization ?? 'nobody' }))
  for (let turn = 0; turn < 2; turn++) {
    for (const authorization of ['Bearer a', 'Bearer b', 'bearer a']) {
      expect(await cache.json('/me', { headers: { authorization } })).toBe(authorization)
    }
    expect(await cache.json('/me')).toBe('nobody')
  }
  expect(origin.requests).toHaveLength(4)
})

test.each(['no-store', 'no-store, max-age=60', 'NO-STORE', 'no-store="x"', 'public, no-store'])(
  'with %s nothing is given to the durable store (law 7, RFC 9111 §5.2.2.5)',
  async (cacheControl) => {
    const { store, written } = recordingStore()
    const { cache, origin } = harness({ store })
    origin.serves('/a', { ...canary, cacheControl, etag: '"v1"' })
    await cache.json('/a')
    await (await cache.fetch('/a')).text()
    await cache.settled()
    expect(written).toEqual([])
  },
)

test.each([{ cache: 'no-store' as const }, { headers: { 'cache-control': 'no-store' } }])(
  'a request with %o gives nothing to the durable store (RFC 9111 §5.2.1.5)',
  async (init) => {
    const { store, written } = recordingStore()
    const { cache, origin } = harness({ store })
    origin.serves('/a', canary)
    await cache.json('/a', init)
    await cache.settled()
    expect(written).toEqual([])
  },
)

test('a 304 that says no-store takes away what is stored (RFC 9111 §4.3.4, §5.2.2.5)', async () => {
  const { store, written } = recordingStore()
  const { cache, origin, clock } = harness({ store })
  origin.serves('/a', { ...canary, etag: '"v1"' })
  await cache.json('/a')
  await clock.advance(60_000)
  origin.serves('/a', { ...canary, etag: '"v1"', cacheControl: 'no-store' })
  await cache.json('/a')
  await cache.settled()
  expect(JSON.parse(written.at(-1) as string)).not.toHaveProperty('value')
  expect((await cache.explain('/a')).candidates).toEqual([])
})

test('a new token of the same user finds what the old one has stored where the caller says whose it is, and nowhere else (FAULTS F-65)', async () => {
  for (const [partition, requests] of [
    ['ada', 1],
    [undefined, 2],
  ] as const) {
    const { cache, origin } = harness({ ...(partition && { partition }) })
    origin.serves('/me', ({ headers }) => ({ cacheControl: 'max-age=600', json: headers.authorization ?? 'nobody' }))
    const answers = []
    for (const authorization of ['Bearer old', 'Bearer new'])
      answers.push(await cache.json('/me', { headers: { authorization } }))
    expect(origin.requests).toHaveLength(requests)
    expect(answers).toEqual(['Bearer old', partition ? 'Bearer old' : 'Bearer new'])
  }
})
