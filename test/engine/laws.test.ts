import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheError } from '../../src/index.ts'
import {
  type Hold,
  type ReceivedRequest,
  type ScriptedResponse,
  scriptedOrigin,
  virtualClock,
} from '../../src/testing/index.ts'
import { harness } from './harness.ts'
import { type Call, cacheControlOf, createLawBook, type Said } from './law-book.ts'
import { type Command, type Path, paths, walks } from './law-commands.ts'

const SOFT_MS = 2_000
const HARD_MS = 10_000
const MAX_BYTES = 4_096
const MAX_ENTRY_BYTES = 1_024
/** Bytes of a body that come at once. */
const PIECE = 100
/** Longer than any deadline of the engine. */
const LONG_MS = 120_000
/** As many walks, from this seed: more of them with `LAWS_RUNS=10000`, others with `LAWS_SEED=2`. */
const { LAWS_RUNS = '200', LAWS_SEED = '9111' } = process.env

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Waits for what needs no time, at most 50 turns of the event loop: what takes longer waits for something that nobody does. */
async function soon<T>(work: Promise<T>, what: string): Promise<T> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  done.catch(() => {})
  for (let turns = 0; turns < 50 && !isDone; turns++) await turn()
  if (!isDone) throw new Error(`${what} has not come to its end`)
  return done
}

interface Gate {
  readonly open: Promise<void>
  release(): void
}

function gate(): Gate {
  let release = () => {}
  const open = new Promise<void>((resolve) => {
    release = resolve
  })
  return { open, release: () => release() }
}

/** A body in small pieces; what comes after its middle waits for the gate, where there is one. */
function inPieces(text: string, middle: () => Gate | undefined, onEnd: () => void): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (at > bytes.byteLength / 2) await middle()?.open
        controller.enqueue(bytes.slice(at, at + PIECE))
        at += PIECE
        if (at < bytes.byteLength) return
        onEnd()
        controller.close()
      },
      cancel: onEnd,
    },
    { highWaterMark: 0 },
  )
}

/** A cache before an origin that stamps each body with its version and its place in the order of requests, and the book in which both are compared. */
function world() {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  const book = createLawBook({ now: clock.now, softMs: SOFT_MS, hardMs: HARD_MS, maxEntryBytes: MAX_ENTRY_BYTES })
  const first: Said = { maxAge: 5, staleIfError: 60, hasEtag: true }
  const states: Record<Path, { version: number; bytes: number; said: Said }> = {
    '/a': { version: 1, bytes: 200, said: first },
    '/b': { version: 1, bytes: 200, said: { ...first, hasEtag: false } },
    '/ab': { version: 1, bytes: 200, said: { maxAge: 5, staleWhileRevalidate: 30, hasEtag: true } },
  }
  const gates = new Map<Path, Gate>()
  const holds = new Map<Path, Hold>()

  function answer({ seq, method, ifNoneMatch, path: where }: ReceivedRequest): ScriptedResponse {
    const state = states[where as Path]
    if (method === 'POST') {
      state.version++
      return { status: 204 }
    }
    const { said, version, bytes } = state
    const [, known, earlier] = /^"(\d+)\.(\d+)"$/.exec(ifNoneMatch ?? '') ?? []
    const of = said.hasEtag && Number(known) === version ? Number(earlier) : seq
    const text = JSON.stringify({ path: where, version, seq, pad: '.'.repeat(bytes) })
    book.makes(seq, { of, path: where, text }, said)
    return {
      cacheControl: cacheControlOf(said),
      ...(said.hasEtag && { etag: `"${version}.${of}"` }),
      tags: [where === '/ab' ? 'till' : 'shelf'],
      headers: { 'x-seq': String(of), 'content-type': 'application/json' },
      body: inPieces(
        text,
        () => gates.get(where as Path),
        () => book.ends(seq),
      ),
    }
  }
  origin.serves('*', answer)

  const transport = (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const { signal, method = 'GET', cache: mode = 'default' } = init
    if (signal?.aborted) return origin.fetch(input, init)
    const seq = origin.requests.length + 1
    book.sent(seq, method, new URL(String(input)).pathname, mode)
    signal?.addEventListener('abort', () => book.ends(seq))
    const coming = origin.fetch(input, init)
    coming.then(
      ({ status }) => book.came(seq, status),
      () => book.ends(seq),
    )
    return coming
  }

  return {
    ...harness({
      fetch: transport,
      clock,
      base: origin.url,
      deadlines: { softMs: SOFT_MS, hardMs: HARD_MS },
      memory: { maxBytes: MAX_BYTES, maxEntryBytes: MAX_ENTRY_BYTES },
    }),
    clock,
    origin,
    book,
    states,
    hold(where: Path, phase: string): void {
      if (phase === 'body') gates.set(where, gates.get(where) ?? gate())
      else if (!holds.has(where)) holds.set(where, origin.hold(where))
    },
    release(where: Path): void {
      for (const held of [holds, gates]) {
        held.get(where)?.release()
        held.delete(where)
      }
    },
  }
}
type World = ReturnType<typeof world>

/** What callers do. Each call writes what it got, or how it failed, into the book. */
function callers({ cache, clock, book }: World) {
  const pending = new Map<Call, AbortController>()
  let calls = 0

  /** One call, until its end. */
  async function call(how: string, where: Path, mode: RequestCache, work: (one: Call, init: RequestInit) => unknown) {
    const controller = new AbortController()
    const one = book.starts(`${how} ${where} (call ${++calls}, ${mode})`, where, mode)
    pending.set(one, controller)
    try {
      await work(one, { signal: controller.signal, ...(mode !== 'default' && { cache: mode }) })
    } catch (error) {
      book.threw(one, error, controller.signal)
    }
    pending.delete(one)
  }

  async function json(one: Call, init: RequestInit): Promise<void> {
    try {
      const data = await cache.json<{ seq: number }>(one.path, init)
      book.read(one, data?.seq, JSON.stringify(data))
      book.answered(one, data?.seq)
    } catch (error) {
      if (!(error instanceof CacheError && error.code === 'status')) throw error
      book.answeredError(one, error.response?.status)
    }
  }

  async function body(how: string, one: Call, init: RequestInit): Promise<void> {
    const response = await cache.fetch(one.path, init)
    if (response.status !== 200) return book.answeredError(one, response.status)
    const seq = Number(response.headers.get('x-seq'))
    book.answered(one, seq, clock.now())
    if (how === 'unread') return
    if (how === 'whole') return book.read(one, seq, await response.text())
    const reader = response.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    const text = new TextDecoder().decode(value)
    book.read(one, seq, text, Math.max(1, text.length))
    await reader?.cancel()
  }

  return {
    pending,
    read: (how: string, where: Path, mode: RequestCache) =>
      call(how, where, mode, (one, init) => (how === 'json' ? json(one, init) : body(how, one, init))),
    post: (where: Path) => call('POST', where, 'default', (_, init) => cache.fetch(where, { ...init, method: 'POST' })),
    abort: (which: number) => [...pending.values()][which % pending.size]?.abort(new Error('The caller has gone')),
  }
}

/** Does one command; what takes time goes on behind. */
async function act(
  one: Command,
  { cache, clock, origin, book, states, ...the }: World,
  of: ReturnType<typeof callers>,
) {
  switch (one.do) {
    case 'read':
      for (let time = 0; time < one.times; time++) of.read(one.how, one.path, one.mode)
      return
    case 'post':
      of.post(one.path)
      return
    case 'purge': {
      const [selector, covered] = one.selector
      const purging = cache.purge(selector, { mode: one.mode })
      book.purged(one.mode, covered, 'tag' in selector)
      await soon(purging, 'a purge')
      return
    }
    case 'advance':
      return clock.advance(one.seconds * 1000)
    case 'change': {
      const { bytes, said } = one
      states[one.path] = { version: states[one.path].version + (one.body ? 1 : 0), bytes, said }
      return
    }
    case 'fail':
      return origin.fails(`GET ${one.path}`, one.how)
    case 'recover':
      return origin.recovers()
    case 'hold':
      return the.hold(one.path, one.phase)
    case 'release':
      return the.release(one.path)
    case 'abort':
      return of.abort(one.which)
    default:
      return one satisfies never
  }
}

/** Why calls were answered as they were, over all walks. */
const seen = new Set<string>()

async function walk(commands: readonly Command[]): Promise<void> {
  const here = world()
  const { cache, clock, origin, book } = here
  const of = callers(here)
  cache.on((event) => seen.add(event.type === 'answered' ? event.cause : event.type))
  for (const [index, one] of commands.entries()) {
    await act(one, here, of)
    await turn()
    book.demand(cache.stats().memoryBytes <= MAX_BYTES, 'memory stays within its budget', `${one.do}`)
    expect(book.broken, `after command ${index}`).toEqual([])
  }
  origin.recovers()
  for (const one of paths) here.release(one)
  await clock.advance(LONG_MS)
  await settles('when nothing is held any more')
  // Whatever has happened, a healthy origin is asked again, and answered at once.
  for (const one of paths) of.read('whole', one, 'default')
  await settles('of the last reads')
  expect(clock.sleeping, 'timers left').toBe(0)
  const explained = await soon(Promise.all(paths.map((one) => cache.explain(one))), 'explain()')
  const sizes = explained.flatMap(({ candidates }) => candidates.map(({ bytes }) => bytes))
  expect(sizes.filter((size) => size > MAX_ENTRY_BYTES)).toEqual([])
  await soon(cache.close(), 'close()')
  expect(clock.sleeping, 'timers left').toBe(0)

  async function settles(when: string): Promise<void> {
    await clock.settle()
    const left = [...of.pending.keys()].map(({ name }) => name)
    expect([...book.broken, ...left], `broken or pending, ${when}`).toEqual([])
    await soon(cache.settled(), 'settled()')
  }
}

test('whatever happens in whatever order, the laws hold (RFC 9111, RFC 5861)', { timeout: 600_000 }, async () => {
  await fc.assert(fc.asyncProperty(walks, walk), { seed: Number(LAWS_SEED), numRuns: Number(LAWS_RUNS) })
  // Walks that never come to these prove nothing about them.
  for (const cause of ['fresh', 'collapsed', 'validated', 'stale-while-revalidate', 'stale-if-error', 'soft-deadline'])
    expect(seen).toContain(cause)
  for (const cause of ['purged', 'invalidated', 'evicted', 'rejected']) expect(seen).toContain(cause)
})
