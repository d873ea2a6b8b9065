import { expect, inject, onTestFinished, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { ownPage } from '../support/own-page.ts'

const origin = inject('origin')
const fresh = () => crypto.randomUUID()

test('F-33: what the browser serves stale from its own cache is as old as its Date says: our window begins where the origin’s did (RFC 9111 §4.2.3, RFC 5861 §3)', async () => {
  const { ask, causeOf } = await ownPage()
  const url = `/aging?${fresh()}`
  const read = (name: string) => ask({ name, store: 'memory', url })
  const [one, another] = [fresh(), fresh()]
  expect((await read(one)).body).toBe('1')
  // A second cache knows nothing of it; that the browser does, and that it is stale, no one says.
  const first = await read(another)
  expect([first.body, causeOf(first)]).toEqual(['1', 'miss'])
  const second = await read(another)
  expect([second.body, causeOf(second)]).toEqual(['1', 'stale-while-revalidate'])
  const fields = new Map(second.headers)
  expect(Number(fields.get('age'))).toBeGreaterThanOrEqual(30)
  expect(Number(/ttl=(-\d+)/.exec(fields.get('cache-status') ?? '')?.[1])).toBeLessThanOrEqual(-29)
  // The refresh behind went past the browser's copy.
  expect(Number((await read(another)).body)).toBeGreaterThan(1)
})

test('F-33: across origins, where Date is hidden, no copy of the browser’s comes between (Fetch, HTTP-network-or-cache fetch)', async () => {
  const cache = createCache({ name: fresh(), store: 'memory' })
  onTestFinished(() => cache.close())
  const url = `${origin}/aging?${fresh()}`
  const bare = async () => (await fetch(url)).text()
  expect(await bare()).toBe('1')
  expect(await bare()).toBe('1')
  expect(Number(await (await cache.fetch(url)).text())).toBeGreaterThan(1)
})
