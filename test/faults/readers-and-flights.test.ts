import { describe, expect, test } from 'vitest'
import type { CacheOptions, Store } from '../../src/index.ts'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causes, type Harness, harness } from '../engine/harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const outcome = (response: Promise<Response>) =>
  text(response).catch((error: unknown) => (error instanceof Error ? error.name : String(error)))

describe('F-24: an origin that answers with an error', () => {
  const good = { body: 'good' }
  const cases: ReadonlyArray<readonly [cacheControl: string, statuses: readonly number[], expected: 'good' | 'ill']> = [
    ['max-age=60, stale-if-error=600', [500, 502, 503, 504], 'good'],
    ['max-age=60, stale-if-error=600', [400, 401, 403, 404, 405, 410, 429, 501, 505, 507, 511], 'ill'],
    ['max-age=60', [500, 502, 503, 504], 'ill'],
    ['max-age=60, stale-if-error=20', [500, 502, 503, 504], 'ill'],
    ['max-age=60, stale-if-error=600, must-revalidate', [500, 502, 503, 504], 'ill'],
    ['no-cache, stale-if-error=600', [500, 502, 503, 504], 'ill'],
  ]

  test.each(
    cases.flatMap(([cacheControl, statuses, expected]) =>
      statuses.map((status) => [cacheControl, status, expected] as const),
    ),
  )(
    '%s, then %i: %s is what the caller gets (RFC 5861 §4, RFC 9111 §4.2.4)',
    async (cacheControl, status, expected) => {
      const { cache, origin, clock } = harness()
      origin.serves('/a', { cacheControl, ...good })
      await text(cache.fetch('/a'))
      await clock.advance(90_000)
      origin.fails('/a', { status, body: 'ill' })
      const response = await cache.fetch('/a')
      expect([response.status, await response.text()]).toEqual([expected === 'good' ? 200 : status, expected])
      expect(origin.requests).toHaveLength(2)
    },
  )
})

const KIB = 1024

describe('F-40: a response that nobody reads', () => {
  const limits: CacheOptions = { memory: { maxBytes: 1024 * KIB, maxEntryBytes: 64 * KIB } }

  test('a hundred of them hold no more than one response may take each, and are not stored', async () => {
    const { cache, origin, clock } = harness(limits)
    const chunk = 16 * KIB
    let made = 0
    origin.serves('/*', () => {
      let left = 640
      return {
        cacheControl: 'max-age=60',
        body: new ReadableStream<Uint8Array>(
          {
            pull(controller) {
              if (left-- === 0) return controller.close()
              made += chunk
              controller.enqueue(new Uint8Array(chunk))
            },
          },
          { highWaterMark: 0 },
        ),
      }
    })
    const responses = await Promise.all(Array.from({ length: 100 }, (_, index) => cache.fetch(`/${index}`)))
    await clock.settle()
    expect(made).toBeLessThanOrEqual(100 * (64 * KIB + 2 * chunk))
    expect(cache.stats().memoryBytes).toBe(0)
    // whoever reads after all gets everything
    expect((await responses[99]?.arrayBuffer())?.byteLength).toBe(640 * chunk)
    for (const response of responses.slice(0, 99)) await response.body?.cancel()
    await cache.settled()
    expect(origin.requests.filter(({ aborted }) => aborted)).toHaveLength(99)
  })

  test('one that is small enough is stored all the same, by our own reader', async () => {
    const { cache, origin, clock } = harness(limits)
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'small' })
    await cache.fetch('/a')
    await clock.settle()
    expect(await text(cache.fetch('/a'))).toBe('small')
    expect(origin.requests).toHaveLength(1)
    expect(clock.sleeping).toBe(0)
  })
})

describe('F-41: readers of one body at different speeds', () => {
  test('one reads slowly, one gives up, one reads at once: the first and the last have it whole, and so has the store', async () => {
    const { cache, origin, clock } = harness()
    const body = 'x'.repeat(10_000)
    origin.serves('/a', { cacheControl: 'max-age=60', body })
    const hold = origin.hold('/a', 'body')
    const [slow, quitter, fast] = await Promise.all([cache.fetch('/a'), cache.fetch('/a'), cache.fetch('/a')])
    const whole = text(Promise.resolve(fast))
    const giveUp = quitter.body?.getReader()
    expect((await giveUp?.read())?.value).toHaveLength(5_000)
    await giveUp?.cancel('enough')
    hold.release()
    expect(await whole).toBe(body)
    await clock.advance(30_000)
    const reader = slow.body?.getReader()
    let read = 0
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      read += part.value.byteLength
      await clock.advance(5_000)
    }
    expect(read).toBe(10_000)
    expect(await text(cache.fetch('/a'))).toBe(body)
    expect(origin.requests).toMatchObject([{ aborted: false }])
  })
})

/** How far a request is when its callers abort. The last step gives what lets the origin go on. */
const phases: Readonly<Record<string, (world: Harness, callers: () => void) => Promise<() => void>>> = {
  'before dispatch': async ({ origin }, callers) => {
    const { release } = origin.hold('/a')
    callers()
    return release
  },
  'when it is sent': async ({ origin, clock }, callers) => {
    const { release } = origin.hold('/a')
    callers()
    await clock.settle()
    expect(origin.requests).toHaveLength(1)
    return release
  },
  'with its head there': async ({ origin, clock }, callers) => {
    const { release } = origin.hold('/a', 'body')
    callers()
    await clock.settle()
    return release
  },
  'in the middle of the body': async ({ origin, clock }, callers) => {
    const hold = origin.hold('/a', 'body')
    callers()
    await clock.settle()
    expect(hold.waiting).toBe(1)
    return hold.release
  },
}

interface Caller {
  readonly controller: AbortController
  readonly ends: Promise<string>
}

/** Ten callers who read as soon as `mayRead` has passed. */
function tenCallers({ cache }: Harness, mayRead: Promise<void>): Caller[] {
  return Array.from({ length: 10 }, () => {
    const controller = new AbortController()
    const reading = async () => {
      const response = await cache.fetch('/a', { signal: controller.signal })
      await mayRead
      return response
    }
    return { controller, ends: outcome(reading()) }
  })
}

/** Ten callers, brought to a phase of their request; `release` lets the origin and the readers go on. */
async function atPhase(phase: string, bring: (typeof phases)[string]) {
  const world = harness()
  world.origin.serves('/a', { cacheControl: 'max-age=60', body: 'the whole body' })
  let read = () => {}
  const mayRead =
    phase === 'with its head there'
      ? new Promise<void>((resolve) => {
          read = resolve
        })
      : Promise.resolve()
  let callers: Caller[] = []
  const goOn = await bring(world, () => {
    callers = tenCallers(world, mayRead)
  })
  const release = () => {
    goOn()
    read()
  }
  return { ...world, callers, release }
}

describe.each(Object.entries(phases))('callers abort %s (Fetch, abort a fetch() call)', (phase, bring) => {
  test('F-42: the one who asked first goes, nine have it whole, from one request', async () => {
    const { cache, origin, clock, callers, release } = await atPhase(phase, bring)
    const [first, ...others] = callers
    first?.controller.abort('changed my mind')
    await clock.settle()
    release()
    expect(await first?.ends).toBe('changed my mind')
    expect(await Promise.all(others.map(({ ends }) => ends))).toEqual(Array(9).fill('the whole body'))
    expect(origin.requests).toMatchObject([{ aborted: false }])
    await cache.settled()
    expect(cache.stats()).toMatchObject({ requests: 10 })
  })

  test('F-43: all go: the request ends with them, nothing is stored, and the next one starts clean', async () => {
    const { cache, origin, clock, callers, release } = await atPhase(phase, bring)
    for (const { controller } of callers) controller.abort('gone')
    await clock.settle()
    release()
    expect(await Promise.all(callers.map(({ ends }) => ends))).toEqual(Array(10).fill('gone'))
    await cache.settled()
    await clock.settle()
    expect(origin.requests.every(({ aborted }) => aborted)).toBe(true)
    expect((await cache.explain('/a')).candidates).toEqual([])
    const asked = origin.requests.length
    expect(await text(cache.fetch('/a'))).toBe('the whole body')
    expect(origin.requests).toHaveLength(asked + 1)
    expect(clock.sleeping).toBe(0)
  })
})

test('F-42: the one who asked first aborts after the end: nothing changes for anyone', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'whole' })
  const controller = new AbortController()
  const [first, second] = await Promise.all([cache.fetch('/a', { signal: controller.signal }), cache.fetch('/a')])
  expect(await first.text()).toBe('whole')
  controller.abort()
  expect(await second.text()).toBe('whole')
  expect(await text(cache.fetch('/a'))).toBe('whole')
  expect(origin.requests).toMatchObject([{ aborted: false }])
})

test('F-44: a signal that is aborted when it joins rejects at once with its own reason, and disturbs nobody', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'whole' })
  const hold = origin.hold('/a')
  const first = text(cache.fetch('/a'))
  await clock.settle()
  const reason = new Error('too late')
  await expect(cache.fetch('/a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  await expect(cache.json('/a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(hold.waiting).toBe(1)
  hold.release()
  expect(await first).toBe('whole')
  expect(origin.requests).toHaveLength(1)
})

describe('F-45: the first of a hundred fails, and each of the others decides again (RFC 9111 §4)', () => {
  /** What a hundred get, who came before the origin answered; each with the language of its own turn. */
  async function hundred(script: (seq: number, language: string | undefined) => ScriptedResponse, languages = ['en']) {
    const world = harness()
    world.origin.serves('/a', ({ seq, headers }) => script(seq, headers['accept-language']))
    const hold = world.origin.hold('/a')
    const reading = Array.from({ length: 100 }, (_, index) =>
      outcome(world.cache.fetch('/a', { headers: { 'accept-language': languages[index % languages.length] ?? 'en' } })),
    )
    await world.clock.settle()
    const atOnce = hold.waiting
    hold.release()
    return { ...world, atOnce, ends: await Promise.all(reading) }
  }

  test.each<[string, ScriptedResponse, string]>([
    ['no connection', { fault: 'network' }, 'TypeError'],
    ['500', { status: 500, body: 'ill' }, 'ill'],
    ['a body that breaks off', { cacheControl: 'max-age=60', body: 'half', fault: 'reset' }, 'TypeError'],
  ])('%s is shared: one request, no herd', async (_sentence, response, expected) => {
    const { ends, origin } = await hundred(() => response)
    expect(ends).toEqual(Array(100).fill(expected))
    expect(origin.requests).toHaveLength(1)
  })

  test.each<[string, ScriptedResponse]>([
    ['no-store', { cacheControl: 'no-store' }],
    ['private to one by Vary: *', { cacheControl: 'max-age=60', vary: '*' }],
  ])('%s is nobody else’s: one request each, and the next do not queue (RFC 9111 §3, §4.1)', async (_, response) => {
    const { ends, origin, clock, cache, events } = await hundred((seq) => ({ ...response, body: `body ${seq}` }))
    expect(new Set(ends).size).toBe(100)
    expect(origin.requests).toHaveLength(100)
    // hit-for-miss: who comes now does not wait for another
    const hold = origin.hold('/a')
    const more = [1, 2, 3].map(() => outcome(cache.fetch('/a', { headers: { 'accept-language': 'en' } })))
    await clock.settle()
    expect(hold.waiting).toBe(3)
    hold.release()
    expect(new Set(await Promise.all(more)).size).toBe(3)
    expect(causes(events)).not.toContain('collapsed')
  })

  test('another variant is not theirs: one request for each language, and each gets its own', async () => {
    const { ends, origin, atOnce } = await hundred(
      (_, language) => ({ cacheControl: 'max-age=60', vary: 'Accept-Language', body: `in ${language}` }),
      ['en', 'de', 'fr'],
    )
    expect(ends).toEqual(Array.from({ length: 100 }, (_, index) => `in ${['en', 'de', 'fr'][index % 3]}`))
    expect([atOnce, origin.requests.length]).toEqual([3, 3])
  })

  test('the hard deadline of one who joined is its own; the request goes on for the others', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'late' })
    const hold = origin.hold('/a')
    const patient = outcome(cache.fetch('/a'))
    const hurried = outcome(cache.fetch('/a', { nearcache: { hardMs: 1_000 } }))
    await clock.advance(1_000)
    expect(await hurried).toBe('TimeoutError')
    hold.release()
    expect(await patient).toBe('late')
    expect(origin.requests).toHaveLength(1)
    expect(clock.sleeping).toBe(0)
  })
})

describe('F-47: the cache is used from inside its own callbacks', () => {
  const everything = async ({ cache }: Pick<Harness, 'cache'>) => {
    await cache.explain('/a')
    cache.peek('/a')
    cache.stats()
    await cache.purge({ url: '/other' })
    return text(cache.fetch('/a'))
  }

  test('in each kind of event', async () => {
    const world = harness()
    world.origin.serves('/a', { cacheControl: 'max-age=60', etag: '"1"', body: 'one' })
    const inner: Promise<string>[] = []
    const kinds = new Set<string>()
    world.cache.on(({ type }) => {
      if (kinds.has(type)) return
      kinds.add(type)
      inner.push(everything(world))
    })
    await text(world.cache.fetch('/a'))
    await world.clock.advance(60_000)
    await text(world.cache.fetch('/a'))
    await world.cache.purge({ url: '/a' })
    world.origin.fails('/a', 'network', 1)
    await outcome(world.cache.fetch('/a'))
    await world.cache.settled()
    expect(await Promise.all(inner)).toEqual(Array(kinds.size).fill('one'))
    expect([...kinds].sort()).toEqual(['answered', 'freshened', 'purged', 'rejected', 'stored'])
  })

  test('in a durable store, while it reads and writes', async () => {
    const inner: Promise<string>[] = []
    const log = { incarnation: 'disk', last: 0, floor: 0, purges: [] }
    const reenter = () => {
      if (inner.length < 4) inner.push(text(world.cache.fetch('/a')))
    }
    const store: Store = {
      async read() {
        reenter()
        return { log, record: () => undefined, body: () => undefined }
      },
      async update(_keys, change) {
        reenter()
        change({ log, record: () => undefined, body: () => undefined })
        return log
      },
    }
    const world = harness({ store })
    world.origin.serves('/a', { cacheControl: 'max-age=60', body: 'one' })
    expect(await text(world.cache.fetch('/a'))).toBe('one')
    await world.cache.settled()
    expect(await Promise.all(inner)).toEqual(Array(inner.length).fill('one'))
    expect(inner.length).toBeGreaterThan(1)
  })

  test('in the transport, for another URL, and in a schema', async () => {
    const world: Harness = harness({
      fetch: async (input, init) => {
        if (String(input).endsWith('/a')) await text(world.cache.fetch('/needed-first'))
        return world.origin.fetch(input, init)
      },
    })
    world.origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
    world.origin.serves('/needed-first', { cacheControl: 'max-age=60', body: 'token' })
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: async (value: unknown) => ({ value: [value, await text(world.cache.fetch('/needed-first'))] }),
      },
    }
    expect(await world.cache.json('/a', { schema })).toEqual([{ a: 1 }, 'token'])
    expect(world.origin.requests.map(({ path }) => path)).toEqual(['/needed-first', '/a'])
  })
})
