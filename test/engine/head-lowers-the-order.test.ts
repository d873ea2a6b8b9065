import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('a HEAD that freshens does not let an older GET take the place of a newer one (A-49, RFC 9111 §4.3.5)', async () => {
  const passing: Array<() => void> = []
  const world = harness({
    earlyExpiry: false,
    async fetch(input, init) {
      const response = await world.origin.fetch(input, init)
      if (world.origin.requests.length > 1) await new Promise<void>((resolve) => passing.push(resolve))
      return response
    },
  })
  const { cache, origin, clock } = world
  const serves = (body: string) => origin.serves('/a', { cacheControl: 'max-age=600', body })
  serves('v1')
  await text(cache.fetch('/a'))
  serves('v3')
  const head = cache.fetch('/a', { method: 'HEAD', cache: 'no-cache' })
  await clock.settle()
  serves('v2')
  const older = text(cache.fetch('/a', { cache: 'reload' }))
  await clock.settle()
  serves('v3')
  const newer = text(cache.fetch('/a', { cache: 'reload' }))
  await clock.settle()
  // The newest request is answered first, then the HEAD that was sent before both, then the older GET.
  const [passHead, passOlder, passNewer] = passing
  passNewer?.()
  expect(await newer).toBe('v3')
  passHead?.()
  await head
  await cache.settled()
  passOlder?.()
  expect(await older).toBe('v2')
  await cache.settled()
  expect(await text(cache.fetch('/a'))).toBe('v3')
})
