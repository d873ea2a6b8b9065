import { expect, test } from 'vitest'
import { seconds } from '../http/builders.ts'
import { causes, harness } from './harness.ts'

// Who joins a flight at one moment, and gives nothing but the URL, waits together; each is answered, told and counted as if it had waited alone (RFC 9111 §4).

const many = 20
const each = <T>(work: (index: number) => Promise<T>) => Array.from({ length: many }, (_, index) => work(index))
const text = async (response: Promise<Response>) => (await response).text()

test('json() of one moment: one request, one reference, one event for each (law 4, law 9)', async () => {
  const { cache, origin, events } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
  const [first, ...others] = await Promise.all(each(() => cache.json('/a')))
  expect(others.every((one) => one === first)).toBe(true)
  expect(origin.requests).toHaveLength(1)
  expect(causes(events).sort()).toEqual([...Array(many - 1).fill('collapsed'), 'miss'])
})

test('each reads a body of its own, at its own speed (law 8)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'the whole body' })
  const hold = origin.hold('/a', 'body')
  const reading = each(async (index) => {
    const response = await cache.fetch('/a')
    const reader = response.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    if (index % 2 === 0) return reader?.cancel().then(() => 'gone')
    let read = new TextDecoder().decode(value)
    value?.fill(0)
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
      read += new TextDecoder().decode(part.value)
    return read
  })
  await clock.settle()
  hold.release()
  expect(await Promise.all(reading)).toEqual(
    Array.from({ length: many }, (_, index) => (index % 2 === 0 ? 'gone' : 'the whole body')),
  )
  expect(origin.requests).toHaveLength(1)
})

test.each([
  ['no-store', many],
  ['max-age=0', many],
  ['no-cache', many],
])('what must not be used by others is asked for by each: %s (RFC 9111 §5.2.2)', async (cacheControl, requests) => {
  const { cache, origin } = harness()
  origin.serves('/a', ({ seq }) => ({ cacheControl, json: { seq } }))
  const all = await Promise.all(each(() => cache.json<{ seq: number }>('/a')))
  expect(new Set(all.map(({ seq }) => seq)).size).toBe(requests)
  expect(origin.requests).toHaveLength(requests)
})

test('a failure of the origin is shared, with a Response for each', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { status: 503, body: 'ill' })
  const bodies = await Promise.all(
    each(() => cache.json('/a').catch((error: { response: Response }) => text(Promise.resolve(error.response)))),
  )
  expect(bodies).toEqual(Array(many).fill('ill'))
  expect(origin.requests).toHaveLength(1)
})

test('who comes after a purge in the same moment does not wait with those who came before it (law 2)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', json: { seq } }))
  const hold = origin.hold('/a')
  const before = each(() => cache.json('/a'))
  cache.purge({ url: '/a' }, { mode: 'hard' })
  const after = each(() => cache.json('/a'))
  await clock.settle()
  hold.release()
  const [first] = await Promise.all(before)
  expect(first).toEqual({ seq: 1 })
  expect(await Promise.all(after)).toEqual(Array(many).fill({ seq: 2 }))
  expect(origin.requests).toHaveLength(2)
})

test('each has its own soft deadline (RFC 5861 §4)', async () => {
  const { cache, origin, clock } = harness({ deadlines: { softMs: seconds(2) } })
  const cacheControl = 'max-age=60, stale-if-error=600'
  origin.serves('/a', ({ seq }) => ({ cacheControl, json: { seq }, delayMs: seq === 1 ? 0 : seconds(3) }))
  await cache.json('/a')
  await clock.advance(seconds(61))
  const first = cache.json('/a')
  const patient = cache.json('/a', { nearcache: { softMs: seconds(10) } })
  const early = [first, cache.json('/a')]
  await clock.advance(seconds(1.5))
  const late = [cache.json('/a'), cache.json('/a')]
  await clock.advance(seconds(2))
  expect(await Promise.all(early)).toEqual([{ seq: 1 }, { seq: 1 }])
  expect(await Promise.all([...late, patient])).toEqual([{ seq: 2 }, { seq: 2 }, { seq: 2 }])
  expect(origin.requests).toHaveLength(2)
})

test('one who goes takes nobody along', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: [1] })
  const hold = origin.hold('/a')
  const gone = new AbortController()
  const leaving = cache.json('/a', { signal: gone.signal })
  const staying = each(() => cache.json('/a'))
  await clock.settle()
  gone.abort(new Error('gone'))
  hold.release()
  await expect(leaving).rejects.toThrow('gone')
  expect(await Promise.all(staying)).toEqual(Array(many).fill([1]))
  expect(origin.requests).toHaveLength(1)
})

test('who knows more by then is answered by what it knows: a response that came with the page meanwhile, when the origin fails (RFC 5861 §4)', async () => {
  const server = harness()
  server.origin.serves('/a', { cacheControl: 'max-age=1, stale-if-error=600', json: [1] })
  await server.cache.json('/a')
  const { clock } = server
  const { cache, origin } = harness({ clock })
  await clock.advance(seconds(5))
  origin.fails('/a', 'network')
  const hold = origin.hold('/a')
  const before = each(() => cache.json('/a').catch((error: Error) => error.name))
  cache.hydrate(await server.cache.dehydrate())
  const after = each(() => cache.json('/a'))
  hold.release()
  await clock.advance(1)
  expect(await Promise.all(before)).toEqual(Array(many).fill('TypeError'))
  expect(await Promise.all(after)).toEqual(Array(many).fill([1]))
})
