import { describe, expect, test } from 'vitest'
import {
  checkWorkerConfig,
  checkWorkerOptions,
  type Route,
  type WorkerConfig,
} from '../../src/validate/worker-options.ts'

const errorOf = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

describe('a wrong option is named, with what is allowed', () => {
  test.each([
    [{ route: [] }, 'route', 'knows no option route'],
    [
      { routes: [{ kind: 'picture' }] },
      'routes[0].kind',
      'it must be "navigation" or "asset" or "image" or "media" or "api"',
    ],
    [{ routes: [{ maxAgeMs: -1 }] }, 'routes[0].maxAgeMs', 'is -1; it must be 0 or more'],
    [{ routes: [{ maxAge: 1 }] }, 'routes[0].maxAge', 'knows no option'],
    [{ routes: [{ opaque: true }] }, 'routes[0].match', 'routes[0].opaque needs routes[0].match'],
    [{ routes: [{ fallback: '/offline.html' }] }, 'routes[0].kind', 'must be "navigation"'],
    [{ deadlineMs: 0 }, 'deadlineMs', 'more than 0'],
    [{ claim: 'yes' }, 'claim', 'a boolean'],
    [{ shell: { version: 'a/b', files: [] } }, 'shell.version', 'letters, digits'],
    [{ shell: { version: '1', files: [{ url: '/', hash: 'abc' }] } }, 'shell.files[0].hash', 'sha256-'],
  ])('%o: %s', (given, path, message) => {
    for (const check of [
      () => checkWorkerOptions(given as never),
      () => checkWorkerConfig(given, 'nearcache.config.json'),
    ]) {
      const error = errorOf(check)
      expect(error).toMatchObject({ name: 'CacheError', code: 'option', path })
      expect(String(error)).toContain(message)
    }
  })
})

test('code may match by functions and patterns, JSON by text alone', () => {
  expect(checkWorkerOptions({ routes: [{ match: /a/ }, { match: () => true }, { match: '/a' }] })).toBeDefined()
  expect(errorOf(() => checkWorkerConfig({ routes: [{ match: /a/ }] }, 'x'))).toMatchObject({ path: 'routes[0].match' })
  expect(errorOf(() => checkWorkerConfig([], 'nearcache.config.json'))).toMatchObject({ code: 'option' })
})

test('whatever the types have is taken, and said by JSON as well', () => {
  // What is new in the types is missing here, and does not compile.
  const route: Required<Route> = {
    match: '/shop/*',
    kind: 'navigation',
    name: 'shop',
    strategy: 'headers',
    fallback: '/offline.html',
    opaque: false,
    maxAgeMs: 1,
    staleWhileRevalidateMs: 1,
    staleIfErrorMs: 1,
    openCircuitGraceMs: 1,
    negativeMaxAgeMs: 1,
    override: true,
    tags: ['shop'],
    pinned: true,
    maxKeys: 10,
    key: { ignore: ['utm_*'], allow: ['q'], sort: true },
    softMs: 1,
    hardMs: 1,
    earlyExpiry: { beta: 1, phase: 0.1 },
  }
  const config: Required<WorkerConfig> = {
    name: 'shop',
    memory: { maxBytes: 1, maxEntryBytes: 1 },
    disk: { maxBytes: 1, maxEntryBytes: 1, encrypt: true },
    key: { sort: true },
    earlyExpiry: { beta: 1, phase: 0.1 },
    deadlines: { softMs: 1, hardMs: 1, diskMs: 1, lockMs: 1 },
    cacheStatus: false,
    routes: [route as Required<Route> & { match: string }],
    claim: true,
    skipWaiting: true,
    shell: { version: '1', files: [], page: '/' },
    opaque: { maxBytes: 1 },
    deadlineMs: 1,
  }
  expect(checkWorkerOptions(config)).toBe(config)
  expect(checkWorkerConfig(JSON.parse(JSON.stringify(config)), 'nearcache.config.json')).toEqual(config)
})
