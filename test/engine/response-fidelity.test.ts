import { describe, expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'

const FRESH = { cacheControl: 'max-age=60', etag: '"v1"', body: 'one' }

async function stored(response: ScriptedResponse = FRESH) {
  const world = harness()
  world.origin.serves('/a', response)
  await (await world.cache.fetch('/a')).text()
  return world
}

function withAbort() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) }
}

/** Everything that a page sees of a response, its body last. */
async function seen(response: Response) {
  const { status, statusText, ok, url, type, redirected, bodyUsed } = response
  const headers = [...response.headers].filter(([name]) => name !== 'cache-status' && name !== 'age')
  const body = response.body === null ? null : await response.text()
  return { status, statusText, ok, url, type, redirected, bodyUsed, headers, body }
}

describe('a page cannot tell a stored response from fetch’s own (Fetch, Response class)', () => {
  test.each<[string, ScriptedResponse]>([
    ['a plain one', FRESH],
    ['one with a status text of its own', { ...FRESH, statusText: 'All Right Then' }],
    ['a 404', { ...FRESH, status: 404, statusText: 'Not Found' }],
    ['a 204', { ...FRESH, status: 204, statusText: 'No Content' }],
    ['an empty body', { ...FRESH, body: '' }],
    [
      'several fields of one name',
      {
        ...FRESH,
        headers: [
          ['x-list', 'a'],
          ['x-list', 'b'],
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ],
      },
    ],
    ['bytes that are no text', { ...FRESH, body: new Uint8Array([0, 255, 128, 10]) }],
    ['coded content', { ...FRESH, headers: { 'content-encoding': 'gzip', 'content-length': '23' } }],
    [
      'fields named as parts of Object',
      { ...FRESH, headers: { __proto__: 'a', constructor: 'b', toString: 'c' } as never },
    ],
  ])('%s', async (_, response) => {
    const { cache, origin } = harness()
    origin.serves('/a', response)
    const bare = await seen(await origin.fetch('/a'))
    expect(await seen(await cache.fetch('/a'))).toEqual(bare)
    const again = await cache.fetch('/a')
    expect(causeOf(again)).toBe('fresh')
    expect(await seen(again)).toEqual(bare)
  })

  test('the URL is without the fragment that was asked for', async () => {
    const { cache } = await stored()
    expect((await cache.fetch('/a#part')).url).toBe('https://origin.test/a')
  })

  test('it is an instance of Response, and its clone too, with url, type and body', async () => {
    const { cache } = await stored()
    const response = await cache.fetch('/a')
    const clone = response.clone()
    for (const one of [response, clone, clone.clone()]) expect(one).toBeInstanceOf(Response)
    expect([clone.url, clone.type, clone.redirected]).toEqual(['https://origin.test/a', 'basic', false])
    expect(await clone.clone().text()).toBe('one')
    expect(await clone.text()).toBe('one')
    expect(await response.text()).toBe('one')
  })

  test('its body can be read in every way', async () => {
    const { cache } = await stored({ ...FRESH, json: [1], headers: { 'content-type': 'text/x' } })
    const read = async () => cache.fetch('/a')
    expect(await (await read()).json()).toEqual([1])
    expect(await (await read()).text()).toBe('[1]')
    expect(new Uint8Array(await (await read()).arrayBuffer())).toEqual(new Uint8Array([91, 49, 93]))
    const blob = await (await read()).blob()
    expect([blob.size, blob.type]).toEqual([3, 'text/x'])
    const reader = (await read()).body?.getReader()
    expect((await reader?.read())?.value).toEqual(new Uint8Array([91, 49, 93]))
    expect((await reader?.read())?.done).toBe(true)
  })

  test.each(['text', 'json', 'arrayBuffer'] as const)(
    'F-48: a body is used once by %s(), and cloned only before (Fetch, body mixin)',
    async (read) => {
      const { cache } = await stored({ ...FRESH, json: { a: 1 } })
      const response = await cache.fetch('/a')
      expect([response.bodyUsed, response.body?.locked]).toEqual([false, false])
      await response[read]()
      expect([response.bodyUsed, response.body?.locked]).toEqual([true, true])
      for (const again of ['text', 'json', 'arrayBuffer', 'blob'] as const)
        await expect(response[again]()).rejects.toThrow(TypeError)
      expect(() => response.clone()).toThrow(TypeError)
      expect(() => new Response(response.body)).toThrow(TypeError)
    },
  )

  test.each(['text', 'json'] as const)('F-48: %s() of a body that someone else reads is refused', async (read) => {
    const { cache } = await stored({ ...FRESH, json: { a: 1 } })
    const response = await cache.fetch('/a')
    response.body?.getReader()
    await expect(response[read]()).rejects.toThrow(TypeError)
  })

  test('a body that is not JSON, and one with a byte order mark, read as they do from the network (Fetch, UTF-8 decode)', async () => {
    const { cache } = await stored({ ...FRESH, body: '\ufeff{"a":' })
    await expect((await cache.fetch('/a')).json()).rejects.toThrow(SyntaxError)
    expect(await (await cache.fetch('/a')).text()).toBe('{"a":')
  })

  test('two who read the JSON of one stored response have an object each (law 8)', async () => {
    const { cache } = await stored({ ...FRESH, json: { a: 1 } })
    const [one, two] = [await (await cache.fetch('/a')).json(), await (await cache.fetch('/a')).json()]
    one.a = 2
    expect(two).toEqual({ a: 1 })
  })

  test('F-48: what one caller does to its response reaches no other (law 8)', async () => {
    const { cache } = await stored()
    const first = await cache.fetch('/a')
    first.headers.set('x-mine', '1')
    first.headers.delete('etag')
    new Uint8Array(await first.arrayBuffer()).fill(0)
    const second = await cache.fetch('/a')
    expect(second.headers.get('x-mine')).toBeNull()
    expect(second.headers.get('etag')).toBe('"v1"')
    expect(await second.text()).toBe('one')
    const reader = (await cache.fetch('/a')).body?.getReader()
    ;(await reader?.read())?.value?.fill(0)
    expect(await (await cache.fetch('/a')).text()).toBe('one')
  })

  test('F-48: what a caller does to the bytes of a body under way reaches neither the store nor who joined (law 8)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', FRESH)
    const [first, second] = await Promise.all([cache.fetch('/a'), cache.fetch('/a')])
    const reader = first?.body?.getReader()
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) part.value?.fill(0)
    expect(await second?.text()).toBe('one')
    expect(await (await cache.fetch('/a')).text()).toBe('one')
  })

  test.each(['text', 'json', 'arrayBuffer', 'blob', 'bytes', 'formData'] as const)(
    'an abort after its head ends a body that nobody has read yet, by %s(), though all of it is at hand (Fetch, abort a fetch() call)',
    async (read) => {
      const { cache } = await stored({ ...FRESH, json: { a: 1 } })
      const reason = new RangeError('not wanted')
      for (const how of ['init', 'Request'] as const) {
        const { signal, abort } = withAbort()
        const response = await (how === 'init'
          ? cache.fetch('/a', { signal })
          : cache.fetch(new Request('https://origin.test/a', { signal })))
        const clone = response.clone()
        abort(reason)
        await expect(response[read]()).rejects.toBe(reason)
        await expect(clone[read]()).rejects.toBe(reason)
      }
    },
  )

  test('and nothing that has been read before; nor does its signal change how it reads (Fetch, abort a fetch() call)', async () => {
    const { cache } = await stored({ ...FRESH, json: { a: 1 } })
    const { signal, abort } = withAbort()
    const read = () => cache.fetch('/a', { signal })
    const [first, empty] = [await read(), await cache.fetch('/a', { signal, method: 'HEAD' })]
    expect(empty.body).toBeNull()
    expect(await first.text()).toBe('{"a":1}')
    expect(await (await read()).json()).toEqual({ a: 1 })
    expect(new Uint8Array(await (await read()).arrayBuffer())).toHaveLength(7)
    const buffers = (await read()).body?.getReader({ mode: 'byob' })
    expect((await buffers?.read(new Uint8Array(3)))?.value).toEqual(new TextEncoder().encode('{"a'))
    const chunks = (await read()).body?.getReader()
    expect((await chunks?.read())?.value).toHaveLength(7)
    abort(new Error('late'))
    await expect(chunks?.read()).rejects.toThrow('late')
    expect([first.bodyUsed, first.status]).toEqual([true, 200])
    expect(await (await cache.fetch('/a')).text()).toBe('{"a":1}')
  })

  test('an empty body with a signal is an empty body', async () => {
    const { cache } = await stored({ ...FRESH, body: '' })
    const { signal } = withAbort()
    expect(await (await cache.fetch('/a', { signal })).text()).toBe('')
    expect((await (await cache.fetch('/a', { signal })).blob()).size).toBe(0)
  })

  test('the fields of a stored response may carry anything that a field may: nothing is read as an object (RFC 9110 §5)', async () => {
    const { cache } = await stored({
      ...FRESH,
      headers: [
        ['__proto__', 'polluted'],
        ['x-empty', ''],
      ],
    })
    const response = await cache.fetch('/a')
    expect(response.headers.get('__proto__')).toBe('polluted')
    expect(response.headers.get('x-empty')).toBe('')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
