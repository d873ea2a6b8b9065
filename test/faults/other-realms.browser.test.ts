import { expect, inject, onTestFinished, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'

const origin = inject('origin')

/** Another window with globals of its own, as a page has that passes a frame's objects to our fetch. */
function otherRealm() {
  const frame = document.createElement('iframe')
  document.body.append(frame)
  onTestFinished(() => frame.remove())
  return frame.contentWindow as Window & typeof globalThis
}

function world() {
  const cache = createCache({ name: crypto.randomUUID(), store: 'memory' })
  onTestFinished(() => cache.close())
  const url = `${origin}/fresh?${crypto.randomUUID()}`
  return { cache, url, realm: otherRealm() }
}

const outcome = (response: Promise<Response>) =>
  response.then(async (one) => `${one.status} ${await one.text()}`).catch((error: Error) => error.name)

test('F-82: a URL, a Request and Headers of another realm are read as fetch reads them (Fetch, fetch method)', async () => {
  const { cache, url, realm } = world()
  const headers = new realm.Headers({ accept: 'x/y' })
  const calls: ReadonlyArray<(fetch: typeof globalThis.fetch) => Promise<Response>> = [
    (fetch) => fetch(new realm.URL(url)),
    (fetch) => fetch(new realm.Request(url)),
    (fetch) => fetch(url, { headers }),
    (fetch) => fetch(new realm.Request(url, { headers })),
  ]
  for (const call of calls) {
    for (let turn = 0; turn < 2; turn++) expect(await outcome(call(cache.fetch))).toBe(await outcome(call(fetch)))
  }
})

test('F-82: a signal of another realm aborts with its reason, before and while the body comes (Fetch, abort a fetch() call)', async () => {
  const { cache, url, realm } = world()
  const reason = new RangeError('mine')
  const aborted = realm.AbortSignal.abort(reason)
  await expect(cache.fetch(url, { signal: aborted })).rejects.toBe(reason)
  // A stream without an end, from the other origin.
  const controller = new realm.AbortController()
  const response = await cache.fetch(`${origin}/events?${crypto.randomUUID()}`, { signal: controller.signal })
  const reader = response.body?.getReader()
  expect((await reader?.read())?.done).toBe(false)
  controller.abort(reason)
  await expect(
    (async () => {
      for (;;) if ((await reader?.read())?.done) return 'ended'
    })(),
  ).rejects.toBe(reason)
  expect(await outcome(cache.fetch(url, { signal: new realm.AbortController().signal }))).toBe('200 validated')
})
