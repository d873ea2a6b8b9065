import type { Ms } from '../http/message.ts'
import type { Channel, OpenChannel } from '../ports/channel.ts'
import type { Clock } from '../ports/clock.ts'
import type { Locks } from '../ports/locks.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'

/** How likely each thing goes wrong with one call of a port, from 0 to 1. They exclude each other, so their sum is at most 1. */
export interface ChaosOptions {
  /** Decides. Seeded, the same goes wrong again. */
  readonly random: Random
  /** For delays. */
  readonly clock: Clock
  /** It throws or rejects. @default 0 */
  readonly throws?: number
  /** It never answers (a `signal`, where there is one, ends that). @default 0 */
  readonly hangs?: number
  /** It takes up to `delayMs` longer. @default 0 */
  readonly delays?: number
  /** It says something wrong in good form: see each wrapper. @default 0 */
  readonly lies?: number
  /** @default 1,000 */
  readonly delayMs?: Ms
}

/** Ports that go wrong. Everything that is wrapped draws from the same chance. */
export interface Chaos {
  /** Rejects as without a connection; a lie is a 503, a 200 of another length than it says, or a 304 that nobody asked for. */
  transport(transport: Transport): Transport
  /** A lie forgets: it reads nothing, or says that it has written what it has not. */
  store(store: Store): Store
  /** A lie is a wall clock that is up to an hour off, to either side; it neither throws nor hangs: platforms' clocks do not. Sleeps take longer. */
  clock(clock: Clock): Clock
  /** A lie is an extreme: 0, or the greatest number below 1. */
  random(random: Random): Random
  /** Messages are lost (a throw, a hang), late, or (a lie) doubled, or somebody else's. */
  channel(open: OpenChannel): OpenChannel
  /** A throw is a platform that gives no lock; a lie gives one that somebody else has. */
  locks(locks: Locks): Locks
  /** How often each thing has gone wrong. */
  readonly counts: Readonly<Record<'throws' | 'hangs' | 'delays' | 'lies', number>>
  /** From now on nothing goes wrong any more; what hangs goes on hanging. */
  stop(): void
}

/** What somebody else might say on a channel of that name. */
const NONSENSE: readonly unknown[] = [
  null,
  'hello',
  7,
  {},
  [],
  { v: 99 },
  { type: 'purged' },
  { v: 1, origin: '__proto__', openUntil: 1e300 },
]

/**
 * Makes any port of a cache throw, hang, delay or lie, with a chance of its own and reproducibly: for tests of what your page does then. A cache answers all the same: a broken cache never breaks
 * a page.
 *
 * @example
 * const trouble = chaos({ random: seededRandom(7), clock, throws: 0.1, hangs: 0.01, lies: 0.05 })
 * const cache = createCache({ clock, fetch: trouble.transport(origin.fetch), store: trouble.store(myStore) })
 * @throws RangeError when a chance is not between 0 and 1, or their sum is more than 1
 */
export function chaos({ random, clock, delayMs = 1_000, ...chances }: ChaosOptions): Chaos {
  const { throws = 0, hangs = 0, delays = 0, lies = 0 } = chances
  for (const [name, chance] of Object.entries({
    throws,
    hangs,
    delays,
    lies,
    'The sum': throws + hangs + delays + lies,
  }))
    if (!(chance >= 0 && chance <= 1 + 1e-9)) throw new RangeError(`${name} is ${chance}; a chance is from 0 to 1`)
  const counts = { throws: 0, hangs: 0, delays: 0, lies: 0 }
  let isOver = false

  /** What goes wrong this time, of what can. */
  function trouble(able: readonly (keyof typeof counts)[]): keyof typeof counts | undefined {
    if (isOver) return undefined
    let draw = random()
    for (const [name, chance] of Object.entries({ throws, hangs, delays, lies }) as [keyof typeof counts, number][]) {
      draw -= chance
      if (draw >= 0) continue
      if (!able.includes(name)) return undefined
      counts[name]++
      return name
    }
    return undefined
  }

  const ALL = ['throws', 'hangs', 'delays', 'lies'] as const
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const delay = (signal?: AbortSignal) => clock.sleep(random() * delayMs, signal)
  const hang = (signal: AbortSignal | undefined): Promise<never> =>
    new Promise((_, reject) => {
      const abort = () => reject(signal?.reason)
      if (signal?.aborted) abort()
      signal?.addEventListener('abort', abort, { once: true })
    })

  /** One asynchronous call of a port. */
  async function call<T>(
    work: () => Promise<T>,
    error: () => Error,
    lie: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    switch (trouble(ALL)) {
      case 'throws':
        throw error()
      case 'hangs':
        return hang(signal)
      case 'delays':
        await delay(signal)
        return work()
      case 'lies':
        return lie()
      default:
        return work()
    }
  }

  return {
    counts,
    stop() {
      isOver = true
    },
    transport: (transport) => (input, init) => {
      const signal = init?.signal ?? (typeof input === 'object' && 'method' in input ? input.signal : undefined)
      const lie = async () =>
        pick([
          () => new Response('Chaos', { status: 503 }),
          () => new Response('short', { headers: { 'content-length': '500', 'cache-control': 'max-age=60' } }),
          () => new Response(null, { status: 304, headers: { etag: '"chaos"' } }),
        ])()
      return call(
        () => transport(input, init),
        () => new TypeError('fetch failed (chaos)'),
        lie,
        signal ?? undefined,
      )
    },
    store(store) {
      const failure = () => new DOMException('chaos', 'UnknownError')
      return {
        read: (keys) =>
          call(
            () => store.read(keys),
            failure,
            async () => ({ ...(await store.read([])), record: () => undefined, body: () => undefined }),
          ),
        update: (keys, change, options) =>
          call(
            () => store.update(keys, change, options),
            failure,
            async () => (await store.read([])).log,
          ),
        ...(store.enter && {
          enter(partition, at) {
            const enter = () => (store as Required<Store>).enter(partition, at)
            return call(enter, failure, enter)
          },
        }),
        ...(store.close && { close: async () => store.close?.() }),
      }
    },
    clock: (wrapped) => ({
      ...(wrapped.monotonic && { monotonic: () => (wrapped as Required<Clock>).monotonic() }),
      now: () => wrapped.now() + (trouble(['lies']) ? Math.round((2 * random() - 1) * 3_600_000) : 0),
      async sleep(ms, signal) {
        if (trouble(['delays'])) await delay(signal)
        return wrapped.sleep(ms, signal)
      },
    }),
    random: (wrapped) => () => (trouble(['lies']) ? pick([0, 1 - 2 ** -53]) : wrapped()),
    channel:
      (open) =>
      (name, onMessage): Channel | undefined => {
        const channel = open(name, onMessage)
        return (
          channel && {
            close: () => channel.close(),
            post(message) {
              const how = trouble(ALL)
              if (how === 'throws' || how === 'hangs') return
              if (how === 'delays')
                delay().then(
                  () => channel.post(message),
                  () => {},
                )
              else channel.post(message)
              if (how === 'lies') channel.post(pick([message, ...NONSENSE]))
            },
          }
        )
      },
    locks: (locks) => ({
      request: (name, options, work) =>
        call(
          () => locks.request(name, options, work),
          () => new DOMException('No locks (chaos)', 'SecurityError'),
          () => work(true),
          options.signal,
        ),
    }),
  }
}
