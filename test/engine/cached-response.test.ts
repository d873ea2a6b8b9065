import { describe, expect, test } from 'vitest'
import { CachedResponse } from '../../src/engine/cached-response.ts'
import { LazyResponse } from '../../src/engine/lazy-response.ts'

const bytes = new TextEncoder().encode('{"a":1}')
const init = { status: 200, statusText: 'Fine' }
const headers = [['content-type', 'application/json']] as [string, string][]
const facts = { url: 'https://origin.test/a', type: 'basic' } as const

/** Each way in which all of a body is asked for. */
const reads = ['text', 'json', 'arrayBuffer', 'bytes', 'blob'] as const

describe.each<[string, () => Response]>([
  ['fetch’s own', () => new Response(bytes, { ...init, headers })],
  ['whole at once', () => new CachedResponse(bytes, { ...init, headers }, facts)],
  ['made when somebody looks', () => new LazyResponse(bytes, init, () => headers, facts)],
])('a body is given once (Fetch, body mixin): %s', (_, made) => {
  // Node 20 has no bytes() of its own.
  const known = reads.filter((read) => read in made())

  test.each(known.flatMap((first) => known.map((second) => [first, second] as const)))(
    '%s, then %s',
    async (first, second) => {
      const response = made()
      expect(response.bodyUsed).toBe(false)
      await response[first]()
      expect(response.bodyUsed).toBe(true)
      await expect(response[second]()).rejects.toThrow(TypeError)
    },
  )

  test.each(known)('%s gives the content', async (read) => {
    const content = await made()[read]()
    const text = read === 'json' ? JSON.stringify(content) : await new Response(content as BodyInit).text()
    expect(text).toBe('{"a":1}')
  })

  test.each(known)('after %s the stream is used and locked, and there is no clone', async (read) => {
    const response = made()
    await response[read]()
    expect(response.body?.locked).toBe(true)
    expect(() => response.clone()).toThrow(TypeError)
  })

  test('a stream that somebody reads is out of reach', async () => {
    const response = made()
    const reader = response.body?.getReader()
    for (const read of known) await expect(response[read](), read).rejects.toThrow(TypeError)
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('{"a":1}')
    expect(response.bodyUsed).toBe(true)
  })

  test('a clone and its original are read apart', async () => {
    const response = made()
    const clone = response.clone()
    response.headers.set('x-mine', '1')
    expect(clone.headers.get('x-mine')).toBeNull()
    expect(await Promise.all([response.json(), clone.json()])).toEqual([{ a: 1 }, { a: 1 }])
  })

  test('it can be made into another response', async () => {
    const response = made()
    const copy = new Response(response.body, response)
    expect(copy.statusText).toBe('Fine')
    expect(copy.headers.get('content-type')).toBe('application/json')
    expect(await copy.json()).toEqual({ a: 1 })
    expect(response.bodyUsed).toBe(true)
  })
})
