import fc from 'fast-check'
import type { PurgeSelector } from '../../src/index.ts'
import type { Said } from './law-book.ts'

/**
 * `/a` may be served on error, and its bodies are small; bodies of `/b` may be too large to keep, and are not read by `json()`; the origin may hang on `/ab`, which nothing allows to be
 * served on error.
 */
export const paths = ['/a', '/b', '/ab'] as const
export type Path = (typeof paths)[number]

/** What each selector covers, as this test knows it without asking. */
const selectors: ReadonlyArray<readonly [PurgeSelector, readonly Path[]]> = [
  [{ url: '/a' }, ['/a']],
  [{ url: '/b' }, ['/b']],
  [{ tag: 'shelf' }, ['/a', '/b']],
  [{ pattern: '/a*' }, ['/a', '/ab']],
  [{ all: true }, paths],
]

const path = fc.constantFrom(...paths)
const rarely = fc.constantFrom(false, false, false, true)

/** What the origin says, by path. What is not to be stored has no validator. */
const saying = (_: Path): fc.Arbitrary<Said> =>
  fc.record(
    {
      maxAge: fc.constantFrom(0, 5, 60),
      noStore: rarely,
      noCache: rarely,
      mustRevalidate: rarely,
      staleWhileRevalidate: fc.constant(30),
      staleIfError: fc.constant(60),
      hasEtag: fc.boolean(),
    },
    { requiredKeys: ['maxAge', 'hasEtag'] },
  )

const change = (where: Path) =>
  fc.record({
    do: fc.constant('change' as const),
    path: fc.constant(where),
    body: fc.boolean(),
    bytes: fc.constantFrom(50, 600, 3_000),
    said: saying(where),
  })

const read = fc.record({
  do: fc.constant('read' as const),
  path,
  how: fc.constantFrom('whole', 'whole', 'json', 'unread', 'cancelled'),
  mode: fc.constantFrom<RequestCache[]>(...Array(8).fill('default'), 'no-cache', 'reload'),
  times: fc.constantFrom(1, 1, 1, 2, 3),
})

const fail = fc.oneof(
  fc.record({ do: fc.constant('fail' as const), path, how: fc.constantFrom(503, 'network' as const) }),
  fc.record({ do: fc.constant('fail' as const), path, how: fc.constant('hang' as const) }),
)

const advance = fc.record({
  do: fc.constant('advance' as const),
  seconds: fc.oneof(fc.nat(12), fc.nat(12), fc.nat(200)),
})
const hold = fc.record({ do: fc.constant('hold' as const), path, phase: fc.constantFrom('head', 'body') })
const release = fc.record({ do: fc.constant('release' as const), path })
const purge = fc.record({
  do: fc.constant('purge' as const),
  selector: fc.constantFrom(...selectors),
  mode: fc.constantFrom('soft' as const, 'hard' as const),
})
const post = fc.record({ do: fc.constant('post' as const), path })
const recover = fc.record({ do: fc.constant('recover' as const) })
const abort = fc.record({ do: fc.constant('abort' as const), which: fc.nat(9) })

/** One thing that happens: to the cache, at the origin, or to time. */
const command = fc.oneof(
  { weight: 14, arbitrary: read },
  { weight: 6, arbitrary: advance },
  { weight: 3, arbitrary: fc.oneof(...paths.map(change)) },
  { weight: 2, arbitrary: hold },
  { weight: 3, arbitrary: release },
  { weight: 2, arbitrary: purge },
  { weight: 1, arbitrary: post },
  { weight: 2, arbitrary: fail },
  { weight: 2, arbitrary: recover },
  { weight: 1, arbitrary: abort },
)
export type Command = typeof command extends fc.Arbitrary<infer One> ? One : never

/** Something happens to a path while a response of it, or its validation, is in mid-flight; then it is read again. */
const race: fc.Arbitrary<Command[]> = fc
  .tuple(hold, read, fc.boolean(), fc.oneof(purge, purge, post, advance, abort), read)
  .map(([held, before, validates, between, after]) => [
    ...(validates ? [{ ...after, path: held.path }] : []),
    held,
    { ...before, path: held.path, ...(validates && { mode: 'no-cache' as const }) },
    'path' in between ? { ...between, path: held.path } : between,
    { do: 'release', path: held.path },
    { ...after, path: held.path },
  ])

/** About thirty commands, one after another. */
export const walks: fc.Arbitrary<Command[]> = fc
  .noBias(
    fc.array(fc.oneof({ weight: 9, arbitrary: command.map((one) => [one]) }, { weight: 1, arbitrary: race }), {
      minLength: 1,
      maxLength: 44,
      size: 'max',
    }),
  )
  .map((parts) => parts.flat())
