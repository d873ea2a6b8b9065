import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const nameOf = (error: unknown) => (error instanceof Error ? error.name : String(error))

/** A caller that may go. */
function caller(world: ReturnType<typeof harness>, path = '/a') {
  const controller = new AbortController()
  const reading = text(world.cache.fetch(path, { signal: controller.signal })).catch(nameOf)
  return { reading, abort: (reason?: unknown) => controller.abort(reason) }
}

const body = 'the whole body of it'

function world() {
  const made = harness()
  made.origin.serves('/a', { cacheControl: 'max-age=60', body })
  return made
}

/** Brings a request to one of its phases, and gives what lets it go on. */
const phases: ReadonlyArray<readonly [string, (of: ReturnType<typeof harness>) => () => void]> = [
  ['before anything is sent', () => () => {}],
  ['when it is sent', ({ origin }) => origin.hold('/a').release],
  ['in the middle of the body', ({ origin }) => origin.hold('/a', 'body').release],
]

describe.each(phases)('the first caller aborts %s (Fetch Standard, abort)', (phase, hold) => {
  test('nine who joined get everything, from one request', async () => {
    const all = world()
    const release = hold(all)
    const first = caller(all)
    const others = Array.from({ length: 9 }, () => caller(all))
    if (phase !== 'before anything is sent') await all.clock.settle()
    first.abort()
    expect(await first.reading).toBe('AbortError')
    await all.clock.settle()
    release()
    expect(await Promise.all(others.map(({ reading }) => reading))).toEqual(Array(9).fill(body))
    expect(all.origin.requests).toHaveLength(1)
    expect(all.origin.requests[0]?.aborted).toBe(false)
    await all.cache.settled()
    expect(await text(all.cache.fetch('/a'))).toBe(body)
    expect(all.origin.requests).toHaveLength(1)
  })

  test('the last one who stays is enough, and an abort keeps its own reason', async () => {
    const all = world()
    const release = hold(all)
    const callers = Array.from({ length: 10 }, () => caller(all))
    if (phase !== 'before anything is sent') await all.clock.settle()
    for (const [index, { abort }] of callers.slice(0, 9).entries()) abort(`reason ${index}`)
    const gone = await Promise.all(callers.slice(0, 9).map(({ reading }) => reading))
    expect(gone).toEqual(Array.from({ length: 9 }, (_, index) => `reason ${index}`))
    await all.clock.settle()
    release()
    expect(await callers[9]?.reading).toBe(body)
    expect(all.origin.requests).toHaveLength(1)
  })

  test('when all have gone the request is aborted, nothing is stored, and the next one starts clean', async () => {
    const all = world()
    const release = hold(all)
    const callers = Array.from({ length: 10 }, () => caller(all))
    if (phase !== 'before anything is sent') await all.clock.settle()
    for (const { abort } of callers) abort()
    expect(await Promise.all(callers.map(({ reading }) => reading))).toEqual(Array(10).fill('AbortError'))
    await all.cache.settled()
    await all.clock.settle()
    expect(all.origin.requests.every(({ aborted }) => aborted)).toBe(true)
    const asked = all.origin.requests.length
    release()
    await all.clock.settle()
    expect(all.cache.peek('/a')).toBeUndefined()
    expect(await text(all.cache.fetch('/a'))).toBe(body)
    expect(all.origin.requests).toHaveLength(asked + 1)
    expect(all.clock.sleeping).toBe(0)
  })
})

test('a caller that aborts when its response is whole changes nothing', async () => {
  const all = world()
  const first = caller(all)
  expect(await first.reading).toBe(body)
  first.abort()
  expect(await text(all.cache.fetch('/a'))).toBe(body)
  expect(all.origin.requests).toHaveLength(1)
})

test('between head and body: the reader that aborts fails, the one that joined reads on', async () => {
  const all = world()
  const hold = all.origin.hold('/a', 'body')
  const controller = new AbortController()
  const first = await all.cache.fetch('/a', { signal: controller.signal })
  const second = await all.cache.fetch('/a')
  controller.abort(new Error('not wanted'))
  await expect(first.text()).rejects.toThrow('not wanted')
  hold.release()
  expect(await second.text()).toBe(body)
  expect(all.origin.requests).toHaveLength(1)
})

test('a reader that cancels half-way leaves the others and the store alone', async () => {
  const all = world()
  const hold = all.origin.hold('/a', 'body')
  const first = await all.cache.fetch('/a')
  const second = await all.cache.fetch('/a')
  const reader = first.body?.getReader()
  await reader?.read()
  await reader?.cancel()
  hold.release()
  expect(await second.text()).toBe(body)
  await all.cache.settled()
  expect(await text(all.cache.fetch('/a'))).toBe(body)
  expect(all.origin.requests).toHaveLength(1)
})

test('the only reader cancels half-way: the request ends and nothing is stored', async () => {
  const all = world()
  all.origin.hold('/a', 'body')
  const response = await all.cache.fetch('/a')
  const reader = response.body?.getReader()
  await reader?.read()
  await reader?.cancel()
  await all.clock.settle()
  expect(all.origin.requests[0]?.aborted).toBe(true)
  await all.cache.settled()
  expect(all.cache.peek('/a')).toBeUndefined()
})

test('a signal that is aborted already rejects at once with its own reason, asked or joined', async () => {
  const all = world()
  const signal = AbortSignal.abort(new Error('never mind'))
  await expect(all.cache.fetch('/a', { signal })).rejects.toThrow('never mind')
  expect(all.origin.requests).toHaveLength(0)
  const hold = all.origin.hold('/a')
  const first = caller(all)
  await expect(all.cache.fetch('/a', { signal })).rejects.toThrow('never mind')
  hold.release()
  expect(await first.reading).toBe(body)
  await expect(all.cache.fetch('/a', { signal })).rejects.toThrow('never mind')
  expect(all.origin.requests).toHaveLength(1)
})

test('a signal given by a Request counts as one given beside it', async () => {
  const all = world()
  all.origin.hold('/a')
  const controller = new AbortController()
  const request = new Request(new URL('/a', all.origin.url), { signal: controller.signal })
  const reading = all.cache.fetch(request).catch(nameOf)
  await all.clock.settle()
  controller.abort()
  expect(await reading).toBe('AbortError')
  expect(all.origin.requests[0]?.aborted).toBe(true)
})

test('json() that is aborted in the middle of its body rejects, and when it was alone the request ends', async () => {
  const all = harness()
  all.origin.serves('/a', { cacheControl: 'max-age=60', json: { some: 'data' } })
  all.origin.hold('/a', 'body')
  const controller = new AbortController()
  const reading = all.cache.json('/a', { signal: controller.signal }).catch(nameOf)
  await all.clock.settle()
  controller.abort()
  expect(await reading).toBe('AbortError')
  await all.clock.settle()
  expect(all.origin.requests[0]?.aborted).toBe(true)
  await all.cache.settled()
})

test('json() that is aborted leaves another json() alone', async () => {
  const all = harness()
  all.origin.serves('/a', { cacheControl: 'max-age=60', json: { some: 'data' } })
  const hold = all.origin.hold('/a', 'body')
  const controller = new AbortController()
  const first = all.cache.json('/a', { signal: controller.signal }).catch(nameOf)
  const second = all.cache.json('/a')
  await all.clock.settle()
  controller.abort()
  expect(await first).toBe('AbortError')
  hold.release()
  expect(await second).toEqual({ some: 'data' })
  expect(all.origin.requests).toHaveLength(1)
})

test('an abort during a validation leaves the stored response, and the next validation asks again', async () => {
  const all = harness()
  all.origin.serves('/a', { cacheControl: 'max-age=60', etag: '"1"', body })
  await text(all.cache.fetch('/a'))
  await all.clock.advance(61_000)
  const hold = all.origin.hold('/a')
  const gone = caller(all)
  await all.clock.settle()
  gone.abort()
  expect(await gone.reading).toBe('AbortError')
  hold.release()
  await all.cache.settled()
  expect(await text(all.cache.fetch('/a'))).toBe(body)
  expect(all.origin.requests.map(({ aborted, ifNoneMatch }) => [aborted, ifNoneMatch])).toEqual([
    [false, undefined],
    [true, '"1"'],
    [false, '"1"'],
  ])
})

test('a response that is for one caller alone ends with its signal', async () => {
  const all = harness()
  all.origin.serves('/a', { cacheControl: 'no-store', body })
  all.origin.hold('/a', 'body')
  const controller = new AbortController()
  const response = await all.cache.fetch('/a', { signal: controller.signal })
  controller.abort()
  await expect(response.text()).rejects.toThrow()
  expect(all.origin.requests[0]?.aborted).toBe(true)
})

test('aborted by a listener of the very event that answers, the body fails with the reason (re-entrance)', async () => {
  const all = world()
  const controller = new AbortController()
  all.cache.on(({ type }) => type === 'answered' && controller.abort(new Error('too late')))
  const hold = all.origin.hold('/a', 'body')
  const response = await all.cache.fetch('/a', { signal: controller.signal })
  await expect(response.text()).rejects.toThrow('too late')
  hold.release()
  await all.cache.settled()
})

test('a hit that its caller aborts in the same turn rejects with the reason; time that is over ends no hit (Fetch, abort a fetch() call)', async () => {
  const all = harness()
  all.origin.serves('/a', { cacheControl: 'max-age=60', json: [1] })
  await all.cache.json('/a')
  for (const ask of [all.cache.fetch, all.cache.json]) {
    const controller = new AbortController()
    const asking = ask('/a', { signal: controller.signal })
    controller.abort(new Error('gone'))
    await expect(asking).rejects.toThrow('gone')
    const late = new AbortController()
    const hit = ask('/a', { signal: late.signal })
    late.abort(new DOMException('late', 'TimeoutError'))
    await hit
  }
  const { requests, hits, rejected } = all.cache.stats()
  expect({ requests, hits, rejected }).toEqual({ requests: 5, hits: 2, rejected: 2 })
})

test('whatever is aborted, every request ends as exactly one event', async () => {
  const all = world()
  const hold = all.origin.hold('/a')
  const callers = Array.from({ length: 10 }, () => caller(all))
  await all.clock.settle()
  for (const { abort } of callers.slice(0, 4)) abort()
  hold.release()
  await Promise.all(callers.map(({ reading }) => reading))
  const { requests, rejected, misses } = all.cache.stats()
  expect({ requests, rejected, misses }).toEqual({ requests: 10, rejected: 4, misses: 6 })
})

test('closing the cache ends what is under way', async () => {
  const all = world()
  all.origin.hold('/a')
  const reading = caller(all).reading
  await all.clock.settle()
  await all.cache.close()
  expect(await reading).toBe('AbortError')
  expect(all.origin.requests[0]?.aborted).toBe(true)
})
