import { afterEach, expect, test, vi } from 'vitest'
import { webLocks } from '../../src/platform/web-locks.ts'

afterEach(() => void vi.unstubAllGlobals())

const withLocks = (request: unknown) => vi.stubGlobal('navigator', { locks: { request } })

test('without Web Locks there are none, and nobody waits (no secure context)', () => {
  for (const navigator of [undefined, {}, { locks: {} }]) {
    vi.stubGlobal('navigator', navigator)
    expect(webLocks()).toBeUndefined()
  }
})

test('of steal, ifAvailable and signal one is given: more than one is refused (Web Locks, request())', async () => {
  const given: object[] = []
  withLocks(async (_name: string, options: object, work: (lock: unknown) => unknown) => {
    given.push(options)
    return work({})
  })
  const { signal } = new AbortController()
  for (const options of [{ signal }, { ifAvailable: true }, { steal: true }, { ifAvailable: true, signal }, {}])
    await webLocks()?.request('nearcache', options, async () => {})
  expect(given).toEqual([{ signal }, { ifAvailable: true }, { steal: true }, { ifAvailable: true }, {}])
})

test('one that is not there is said to be busy, and what throws rejects, as in a document that is not fully active', async () => {
  const seen: boolean[] = []
  withLocks(async (_name: string, _options: object, work: (lock: unknown) => unknown) => work(null))
  await webLocks()?.request('nearcache', { ifAvailable: true }, async (isGranted) => void seen.push(isGranted))
  expect(seen).toEqual([false])
  withLocks(() => {
    throw new DOMException('The document is not fully active', 'InvalidStateError')
  })
  await expect(webLocks()?.request('nearcache', {}, async () => {})).rejects.toThrow('not fully active')
})
