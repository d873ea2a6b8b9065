import { createCache } from '../../src/index.ts'
import { registerServiceWorker } from '../../src/service-worker/register.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { type Item, items, readBody } from './body.ts'
import { stamped } from './stamped.ts'

/** What one page has done, and what it has seen that must not be. */
export interface PageWork {
  readonly operations: number
  readonly causes: Readonly<Record<string, number>>
  readonly broken: readonly string[]
  /** Answers from before a hard purge of this page: right only where the origin has confirmed them since, to the browser's own cache. */
  readonly old: ReadonlyArray<{
    readonly name: string
    readonly version: number
    readonly purgedAt: number
    /** How it was read, and what its answer says of it. */
    readonly how: string
  }>
}

export interface PagePlan {
  readonly seed: number
  readonly forMs: number
}

/** How many things a page does at a time. */
const AT_ONCE = 4

/** How long the worker may take to hear of a purge, in milliseconds: it looks at the log at least every second. */
const HEARD_MS = 5_000

/** Registers the worker; resolved when it has this page. */
export async function beControlled(): Promise<void> {
  const { serviceWorker } = navigator
  const controlled = new Promise<void>((resolve) => {
    serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true })
    if (serviceWorker.controller) resolve()
  })
  await registerServiceWorker('/sw.js')
  await controlled
}

/**
 * Does whatever a page may do with a cache, at random and much at a time, on a database that another page uses as well; then lets go of everything. Answers must be whole, of the URL that was
 * asked for, and after a hard purge of this page not older than that.
 */
export async function work({ seed, forMs }: PagePlan): Promise<PageWork> {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const broken: string[] = []
  const old: { name: string; version: number; purgedAt: number; how: string }[] = []
  const causes: Record<string, number> = {}
  const purged = new Map<string, { readonly asked: number; readonly done: number }>()
  const rules = [{ match: '/r/1*', staleIfErrorMs: 60_000, openCircuitGraceMs: 60_000, fallback: { status: 599 } }]
  const options = {
    fetch: stamped,
    name: 'pages',
    memory: { maxBytes: 2 ** 20 },
    disk: { maxBytes: 4 * 2 ** 20 },
    retry: {},
    rules,
  }
  let operations = 0

  /** A cache for a while: pages come and go. */
  async function life(until: number): Promise<void> {
    const cache = createCache(options)
    const ends: (() => void)[] = [
      cache.on((event) => {
        if (event.type === 'answered') causes[event.cause] = (causes[event.cause] ?? 0) + 1
      }),
    ]
    const headersOf = ({ variant }: Item): Record<string, string> => (variant ? { 'x-variant': variant } : {})
    async function read(item: Item, init: RequestInit = {}): Promise<void> {
      const purgedAt = purged.get(item.name)?.asked ?? 0
      const response = await cache.fetch(item.path, {
        ...init,
        headers: headersOf(item),
        nearcache: { tags: [item.tag] },
      })
      await look(item, response, purgedAt, `by the page, ${init.cache ?? 'default'}`)
    }
    /** What the worker answers: it hears of a purge a little later than the page that has made it. */
    async function readByWorker(item: Item): Promise<void> {
      const { asked, done } = purged.get(item.name) ?? { asked: 0, done: 0 }
      const purgedAt = Date.now() - done > HEARD_MS ? asked : 0
      const response = await fetch(item.path, { headers: headersOf(item) })
      if (response.headers.get('cache-status')?.includes('nearcache')) causes.byWorker = (causes.byWorker ?? 0) + 1
      await look(item, response, purgedAt, 'by the worker')
    }
    async function look(item: Item, response: Response, purgedAt: number, how: string): Promise<void> {
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (!response.ok) return
      const body = readBody(bytes)
      if (body?.name !== item.name)
        broken.push(`${item.name} was answered with ${body?.name ?? 'a body that is not whole'}`)
      else if (body.asked < purgedAt)
        old.push({
          name: item.name,
          version: body.version,
          purgedAt,
          how: `${how}: ${response.headers.get('cache-status')}, asked ${body.asked}, read until ${Date.now()}`,
        })
    }
    const operation = async (item: Item): Promise<unknown> => {
      const draw = random()
      if (draw < 0.45) return read(item)
      if (draw < 0.55) return readByWorker(item)
      if (draw < 0.65) return read(item, { cache: pick(['no-cache', 'reload', 'force-cache', 'no-store']) })
      if (draw < 0.75) {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), random() * 20)
        return read(item, { signal: controller.signal })
      }
      if (draw < 0.78) return read(item, { signal: AbortSignal.timeout(20) })
      if (draw < 0.82)
        return cache
          .fetch(item.path, { nearcache: { priority: 'background' }, headers: headersOf(item) })
          .then((response) => response.body?.cancel())
      if (draw < 0.86) return ends.push(cache.subscribe(item.path, () => {}))
      if (draw < 0.9) return pick(ends.splice(1, 1).concat(() => {}))()
      if (draw < 0.92) return [cache.peek(item.path), cache.update(item.path, (data) => data).rollback()]
      if (draw < 0.94) return cache.explain(item.path)
      if (draw < 0.97) return cache.purge({ tag: item.tag })
      const asked = Date.now()
      await cache.purge({ url: item.path }, { mode: 'hard' })
      const done = Date.now()
      for (const { name } of items.filter(({ path }) => path === item.path)) purged.set(name, { asked, done })
      return undefined
    }
    const expected = ['AbortError', 'TimeoutError', 'TypeError']
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (Date.now() < until) {
          operations++
          await operation(pick(items)).catch((error: Error) => {
            if (!expected.includes(error.name)) broken.push(`${error.name}: ${error.message}`)
          })
          if (random() < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 30))
        }
      }),
    )
    await cache.settled()
    for (const end of ends) end()
    await cache.close()
    const { requests, hits, stale, validated, misses, bypassed, rejected } = cache.stats()
    if (hits + stale + validated + misses + bypassed + rejected !== requests) broken.push('The counters do not add up')
  }

  const end = Date.now() + forMs
  while (Date.now() < end) await life(Math.min(end, Date.now() + 1_000 + random() * 4_000))
  return { operations, causes, broken: [...new Set(broken)].slice(0, 20), old }
}
