import { afterEach, describe, expect, test, vi } from 'vitest'
import { platform } from '../../src/platform/platform.ts'

afterEach(() => vi.unstubAllGlobals())

describe('in Node', () => {
  test('there is no page: no base, no origin of our own, no browser cache below, no fields added', () => {
    const here = platform()
    expect(here.base()).toBeUndefined()
    expect(here).toMatchObject({ origin: undefined, browserCache: false, impliedFields: [] })
  })

  test('chance is between 0 and 1, and not always the same', () => {
    const { random } = platform()
    const values = Array.from({ length: 100 }, random)
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true)
    expect(new Set(values).size).toBeGreaterThan(90)
  })
})

describe('in a browser', () => {
  const page = (globals: object) => {
    for (const [name, value] of Object.entries({
      document: { baseURI: 'https://shop.test/base/' },
      location: { origin: 'https://shop.test', href: 'https://shop.test/cart' },
      navigator: { languages: ['de-DE', 'en'], userAgent: 'Browser/1' },
      ...globals,
    }))
      vi.stubGlobal(name, value)
    return platform()
  }

  test('a page has a base, an origin, a cache below, and fields that the browser adds and keeps (Fetch, HTTP-network-or-cache fetch)', () => {
    const here = page({})
    expect(here.base()).toBe('https://shop.test/base/')
    expect(here).toMatchObject({
      origin: 'https://shop.test',
      browserCache: true,
      impliedFields: [
        ['accept-language', 'de-DE,en'],
        ['user-agent', 'Browser/1'],
      ],
    })
  })

  test('a worker has no document: its script’s URL is the base', () => {
    expect(page({ document: undefined }).base()).toBe('https://shop.test/cart')
  })

  test('a browser that tells no languages has none to vary on', () => {
    expect(page({ navigator: { languages: [], userAgent: 'Browser/1' } }).impliedFields).toEqual([
      ['user-agent', 'Browser/1'],
    ])
    expect(page({ navigator: undefined }).impliedFields).toEqual([])
  })
})

describe('databases', () => {
  test('may be missing, and may throw when touched, as in a sandboxed frame: then there are none', () => {
    vi.stubGlobal('indexedDB', undefined)
    expect(platform().databases()).toBeUndefined()
    Object.defineProperty(globalThis, 'indexedDB', {
      configurable: true,
      get() {
        throw new DOMException('The operation is insecure', 'SecurityError')
      },
    })
    expect(platform().databases()).toBeUndefined()
    Reflect.deleteProperty(globalThis, 'indexedDB')
  })

  test('are the factory’s, looked up when they are needed', () => {
    const here = platform()
    const factory = { open() {} }
    vi.stubGlobal('indexedDB', factory)
    expect(here.databases()).toBe(factory)
  })
})

describe('an error that nobody waits for', () => {
  test('is reported where the platform reports (HTML, reportError)', () => {
    const reported = vi.fn()
    vi.stubGlobal('reportError', reported)
    const error = new Error('in the background')
    platform().report(error)
    expect(reported).toHaveBeenCalledExactlyOnceWith(error)
  })

  test('is an unhandled rejection elsewhere, and no exception for who reports it', async () => {
    vi.stubGlobal('reportError', undefined)
    const others = process.rawListeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    const unhandled = new Promise((resolve) => process.once('unhandledRejection', resolve))
    try {
      const error = new Error('in the background')
      platform().report(error)
      expect(await unhandled).toBe(error)
    } finally {
      for (const other of others) process.on('unhandledRejection', other as NodeJS.UnhandledRejectionListener)
    }
  })
})

describe('idleness', () => {
  test('is not known where nobody tells', () => {
    expect(platform().idle).toBeUndefined()
  })

  test('is waited for until it comes, or until nobody wants it any more: then nothing is left behind', async () => {
    const waiting = new Map<number, () => void>()
    vi.stubGlobal('requestIdleCallback', (callback: () => void) => {
      waiting.set(waiting.size + 1, callback)
      return waiting.size
    })
    vi.stubGlobal('cancelIdleCallback', (id: number) => waiting.delete(id))
    const idle = platform().idle as NonNullable<ReturnType<typeof platform>['idle']>
    const controller = new AbortController()
    const [removed, added] = (['removeEventListener', 'addEventListener'] as const).map((name) =>
      vi.spyOn(controller.signal, name),
    )
    const first = idle(controller.signal)
    waiting.get(1)?.()
    await first
    expect(removed).toHaveBeenCalledTimes(added?.mock.calls.length ?? 0)
    waiting.clear()
    const second = idle(controller.signal)
    controller.abort(new Error('closed'))
    await expect(second).rejects.toThrow('closed')
    expect(waiting.size).toBe(0)
  })
})
