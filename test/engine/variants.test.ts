import { expect, test } from 'vitest'
import { gatedStore } from './gated-store.ts'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('a 304 freshens only responses that the request could have selected: another variant stays what it is (RFC 9111 §4.3.4)', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/a', ({ headers }) => ({
    cacheControl: 'max-age=60',
    etag: '"same"',
    vary: 'x-view',
    body: headers['x-view'] ?? '',
  }))
  const read = (view: string) => text(cache.fetch('/a', { headers: { 'x-view': view } }))
  await read('one')
  await read('other')
  await clock.advance(61_000)
  expect(await read('one')).toBe('one')
  await cache.settled()
  expect.soft(await read('one')).toBe('one')
  expect(await read('other')).toBe('other')
  expect(await read('one')).toBe('one')
})

test('what is stored at the end of a redirect obeys the rule of its own URL, not of the one that was asked for', async () => {
  const written: string[] = []
  const inner = gatedStore(async () => {})
  const { cache, origin } = harness({
    store: {
      ...inner,
      update: (keys, change, options) =>
        inner.update(
          keys,
          (snapshot) => {
            const writes = change(snapshot)
            for (const write of writes) if (write.kind === 'record' && write.value) written.push(String(write.key[0]))
            return writes
          },
          options,
        ),
    },
    rules: [
      { match: '/private/*', durable: false, tags: ['secret'] },
      { match: '/go', tags: ['go'], maxAgeMs: 3_600_000 },
    ],
  })
  origin.serves('/go', { redirect: '/private/x' })
  origin.serves('/private/x', { cacheControl: 'max-age=60', body: 'x' })
  await text(cache.fetch('/go'))
  await cache.settled()
  expect.soft((await cache.explain('/private/x')).candidates.map(({ tags }) => tags)).toEqual([['secret']])
  expect(written).toEqual([])
})

test('a rule for /go gives no lifetime to what lies at the end of its redirect', async () => {
  const { cache, origin, clock } = harness({
    earlyExpiry: false,
    rules: [{ match: '/go', maxAgeMs: 3_600_000, tags: ['go'] }],
  })
  origin.serves('/go', { redirect: '/x' })
  origin.serves('/x', ({ seq }) => ({ body: `v${seq}` }))
  await text(cache.fetch('/go'))
  await cache.settled()
  expect((await cache.explain('/x')).candidates).toEqual([])
  await clock.settle()
})

test('a late HEAD says nothing of a response that was asked for after it (A-49; RFC 9111 §4.3.5)', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/a', { cacheControl: 'max-age=600', etag: '"v1"', body: 'v1' })
  await text(cache.fetch('/a'))
  const held = origin.hold('HEAD /a')
  const head = cache.fetch('/a', { method: 'HEAD', cache: 'reload' })
  await clock.settle()
  origin.serves('/a', { cacheControl: 'max-age=600', etag: '"v2"', body: 'v2' })
  await text(cache.fetch('/a', { cache: 'reload' }))
  held.release()
  await head
  await cache.settled()
  const asked = origin.requests.length
  expect(await text(cache.fetch('/a'))).toBe('v2')
  expect(origin.requests).toHaveLength(asked)
})

test('Vary: * that a 304 brings leaves nothing behind that can be neither used nor replaced (RFC 9111 §4.1)', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/a', { cacheControl: 'max-age=1', etag: '"v1"', body: 'v1' })
  await text(cache.fetch('/a'))
  await clock.advance(2_000)
  origin.serves('/a', { cacheControl: 'max-age=1', etag: '"v1"', vary: '*', body: 'v1' })
  expect(await text(cache.fetch('/a'))).toBe('v1')
  await cache.settled()
  expect((await cache.explain('/a')).candidates).toEqual([])
})
