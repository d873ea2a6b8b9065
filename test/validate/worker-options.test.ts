import { describe, expect, test } from 'vitest'
import { checkWorkerConfig, checkWorkerOptions } from '../../src/validate/worker-options.ts'

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
