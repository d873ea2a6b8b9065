import { CacheError } from '../errors.ts'
import type { EpochMs, Ms } from '../http/message.ts'
import { platform } from '../platform/platform.ts'
import { systemClock } from '../platform/system-clock.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import { type FeedPurge, parsePosition, selector as selectorSchema } from '../purge/messages.ts'
import { createFollowers } from './followers.ts'
import { type RetryPolicy, withRetry } from './forward.ts'
import { type Message, mark, memoryPurgeLog, type PurgeLogPort, type Source } from './purge-log.ts'
import { TOLERANCE_MS, verifier } from './signature.ts'
import { answer, readWebhook } from './webhook.ts'

/** What a hub purges. URLs and patterns may be relative: they start from the feed's own address. */
export type HubSelector =
  | { url: string | URL }
  | { tag: string }
  | { tags: string[] }
  | { pattern: string }
  | { all: true }

export interface HubPurgeOptions {
  /** @default 'soft' */
  readonly mode?: 'soft' | 'hard'
  /** When, by the wall clock: a time that has not come yet is waited for. */
  readonly at?: EpochMs | Date
  /** The window over which browsers spread their refills of what is on screen, in milliseconds, up to a day. @default 0 */
  readonly spread?: Ms
}

/** A purge that the CDN did not take. It was not published. */
export interface DeadLetter {
  readonly purge: FeedPurge
  readonly error: unknown
  readonly at: EpochMs
  /** Tries it again from the start, and takes it off the list when it succeeds. `undefined`: its webhook was sent again, and published, meanwhile. */
  retry(): Promise<{ readonly number: number } | undefined>
}

export interface PurgeHubOptions {
  /** Of the webhooks: `whsec_` and base64. Several while one takes the place of another. */
  readonly secret?: string | readonly string[]
  /** Purges kept for those who come back; who was away for longer forgets everything (softly). Not for a `log` of your own. @default 1000 */
  readonly retain?: number
  /** A sign of life on each stream, and how soon one that takes nothing is let go (after four). @default 20,000 */
  readonly heartbeatMs?: Ms
  /** Where the purges are kept. @default this process's memory */
  readonly log?: PurgeLogPort
  /**
   * Hands a purge to the CDN in front, before anybody is told: otherwise browsers would refill from its old copies. Tried again, with pauses, when it rejects; after the last attempt the purge is not published, `purge()`
   * rejects, a webhook is answered with 502, and the purge is a dead letter.
   */
  readonly forward?: (purge: FeedPurge) => unknown
  readonly retry?: RetryPolicy
  readonly clock?: Clock
  readonly random?: Random
}

export interface PurgeHub {
  /**
   * Publishes a purge: resolves with its number when the log has it. With an `at` that has not come yet, resolves when it is kept for then; it has no number before.
   *
   * @throws CacheError with code `option` for a wrong argument, `forward` when the CDN did not take it, `state` after `close()`
   */
  purge(
    selector: HubSelector,
    options?: HubPurgeOptions & { readonly at?: never },
  ): Promise<{ readonly number: number }>
  purge(selector: HubSelector, options?: HubPurgeOptions): Promise<{ readonly number: number | undefined }>
  /**
   * The purges after `?after=<number>` (or `Last-Event-ID`): over server-sent events and without end, or, to a request with `Accept: application/json`, what there is now as one answer. It is cached nowhere.
   * Whoever may read it learns URLs and tags; put your own check before it if they are nobody's business. Across origins add `Access-Control-Allow-Origin` to the response.
   */
  feed(request: Request): Promise<Response>
  /** Takes a purge from a signed webhook (Standard Webhooks). 200 done or done before, 401 signature or time, 405 no POST, 413 over 64 KiB, 422 another payload, 502 the CDN did not take it. */
  webhook(request: Request): Promise<Response>
  /** What the CDN did not take, the last 100, oldest first. */
  deadLetters(): readonly DeadLetter[]
  /** Ends all streams, and what is being waited for. Scheduled purges stay in a log that outlives the process. */
  close(): Promise<void>
}

/** How long the name of a webhook is remembered: for longer than its signature could be used again, by the clock of any node and of the log. */
const REMEMBERED_MS = 2 * TOLERANCE_MS + 60_000
/** How long a node may take for a scheduled purge before another one takes it over. */
const LEASE_MS = 300_000
/** The longest time between two looks at what is scheduled. */
const LOOK_MS = 60_000
const MAX_DEAD_LETTERS = 100
const MAX_SPREAD_MS = 86_400_000

/**
 * Takes purges from code and from signed webhooks, numbers them, and feeds them to every browser that follows (`nearcache/purge-feed`).
 *
 * @throws CacheError with code `option` when an option is wrong; it never shows a secret
 */
export function createPurgeHub(options: PurgeHubOptions = {}): PurgeHub {
  const {
    secret,
    retain = 1000,
    heartbeatMs = 20_000,
    forward,
    retry,
    clock = systemClock,
    random = platform().random,
  } = options
  atLeast('retain', retain, 1)
  atLeast('heartbeatMs', heartbeatMs, 1)
  // It is told as JSON, which knows no other numbers.
  if (!Number.isFinite(heartbeatMs))
    throw new CacheError('option', `heartbeatMs is ${heartbeatMs}; it must be finite`, { path: 'heartbeatMs' })
  const verify = secret === undefined ? undefined : verifier([secret].flat() as string[])
  const log = options.log ?? memoryPurgeLog({ retain, random })
  const followers = createFollowers({ log, clock, heartbeatMs })
  const closing = new AbortController()
  const letters: DeadLetter[] = []
  /** Webhooks being dealt with: the same one, sent again meanwhile, gets the same answer. */
  const inHand = new Map<string, Promise<Response>>()
  let looking: AbortController | undefined

  /** @returns `undefined` when its source was dealt with meanwhile */
  async function publish(purge: FeedPurge, source?: Source): Promise<{ readonly number: number } | undefined> {
    try {
      if (forward) await withRetry(async () => forward(purge), { clock, random, signal: closing.signal }, retry)
    } catch (error) {
      if (closing.signal.aborted) throw new CacheError('state', 'This hub was closed before the CDN took the purge')
      const letter: DeadLetter = {
        purge,
        error,
        at: clock.now(),
        async retry() {
          if (!letters.includes(letter)) throw new CacheError('state', 'This dead letter was dealt with')
          letters.splice(letters.indexOf(letter), 1)
          // What was scheduled is no longer.
          return publish(purge, source && 'message' in source ? source : undefined)
        },
      }
      letters.push(letter)
      letters.splice(0, letters.length - MAX_DEAD_LETTERS)
      throw new CacheError('forward', 'The CDN did not take the purge, so it was not published; see deadLetters()', {
        cause: error,
      })
    }
    const logged = await log.append(purge, source)
    return logged && { number: logged.number }
  }

  /** @returns `undefined` when that message was dealt with before */
  async function accept(
    purge: FeedPurge,
    at: EpochMs | undefined,
    message?: Message,
  ): Promise<{ readonly number: number | undefined } | undefined> {
    if (closing.signal.aborted) throw new CacheError('state', 'This hub was closed')
    if (at === undefined || at <= clock.now()) return publish(purge, message && { message })
    if (!(await log.schedule({ id: mark(random), purge }, at, message))) return undefined
    look()
    return { number: undefined }
  }

  /** Looks at what is scheduled now and whenever something is due, as long as anything is. */
  function look(): void {
    looking?.abort()
    const mine = new AbortController()
    looking = mine
    const run = async () => {
      while (!mine.signal.aborted) {
        const { due, next } = await log.takeDue(clock.now(), LEASE_MS)
        for (const { id, purge } of due) {
          // What the CDN did not take is a dead letter by now.
          const isRefused = await publish(purge, { scheduled: id }).then(
            () => false,
            (error: unknown) => error instanceof CacheError && error.code === 'forward',
          )
          if (isRefused) await log.settle(id)
        }
        if (due.length > 0) continue
        if (next === undefined) return
        await clock.sleep(Math.min(LOOK_MS, Math.max(0, next - clock.now())), mine.signal)
      }
    }
    const again = () => clock.sleep(LOOK_MS, mine.signal).then(run)
    const keepOn = (work: Promise<void>): Promise<void> =>
      work.catch(() => (mine.signal.aborted ? undefined : keepOn(again())))
    keepOn(run()).catch(() => {})
  }

  async function act(id: string, purge: FeedPurge, at: EpochMs | undefined): Promise<Response> {
    try {
      const now = clock.now()
      // What another node has in hand is not done yet: that one may have died.
      const isDone = await log.isDone(id, now)
      const taken = isDone ? undefined : await accept(purge, at, { name: id, forMs: REMEMBERED_MS, now })
      if (!taken) return answer(200, 'This was done before')
      return Response.json({ number: taken.number }, { headers: { 'cache-control': 'no-store' } })
    } catch (error) {
      if (error instanceof CacheError && error.code === 'forward') return answer(502, error.message)
      return answer(503, 'The purge could not be kept. Send it again')
    }
  }

  // A log that outlives its process may hold what an earlier one has scheduled.
  if (options.log) look()

  const purge = async (selector: HubSelector, { mode = 'soft', at, spread = 0 }: HubPurgeOptions = {}) => {
    const given = 'url' in selector ? { url: String(selector.url) } : selector
    const parsed = selectorSchema.safeParse(given)
    if (!parsed.success)
      throw new CacheError(
        'option',
        'purge() needs one of { url }, { tag }, { tags }, { pattern }, { all: true }, with texts of 1 to 8,192 characters. A partition is one browser’s business and is not told to others',
        { path: 'selector' },
      )
    if (mode !== 'soft' && mode !== 'hard')
      throw new CacheError('option', `mode is ${String(mode)}; it must be 'soft' or 'hard'`, { path: 'mode' })
    if (!(spread >= 0 && spread <= MAX_SPREAD_MS))
      throw new CacheError('option', `spread is ${spread}; it must be 0 to ${MAX_SPREAD_MS} milliseconds`, {
        path: 'spread',
      })
    const moment = at === undefined ? undefined : Number(at)
    if (Number.isNaN(moment))
      throw new CacheError('option', `at is ${String(at)}; it must be a Date, or milliseconds since 1970`, {
        path: 'at',
      })
    return accept({ selector: parsed.data, mode, ...(spread > 0 && { spread }) }, moment)
  }

  return {
    purge: purge as PurgeHub['purge'],
    async feed(request) {
      if (request.method !== 'GET') return answer(405, 'The feed is read with GET', { allow: 'GET' })
      const asked = request.headers.get('last-event-id') ?? new URL(request.url).searchParams.get('after')
      const after = parsePosition(asked)
      if (asked && !after) return answer(400, 'after must be a number of the feed, as 12, or its whole position')
      const headers = { 'cache-control': 'no-store', vary: 'Accept, Last-Event-ID' }
      if (wantsJson(request.headers.get('accept') ?? '')) return Response.json(await log.read(after), { headers })
      if (closing.signal.aborted) return answer(503, 'This hub was closed', { 'retry-after': '1' })
      return new Response(followers.follow(after), {
        headers: {
          ...headers,
          'cache-control': 'no-store, no-transform',
          'content-type': 'text/event-stream; charset=utf-8',
          // nginx would hold events back until its buffer is full.
          'x-accel-buffering': 'no',
        },
      })
    },
    async webhook(request) {
      if (!verify)
        throw new CacheError(
          'option',
          'Webhooks need createPurgeHub({ secret }): whsec_ and base64, as the sender shows it',
          { path: 'secret' },
        )
      const read = await readWebhook(request, verify, clock.now())
      if ('refused' in read) return read.refused
      const { id, purge, at } = read
      const working = inHand.get(id) ?? act(id, purge, at).finally(() => inHand.delete(id))
      inHand.set(id, working)
      return (await working).clone()
    },
    deadLetters: () => [...letters],
    async close() {
      closing.abort(new DOMException('This hub was closed', 'AbortError'))
      looking?.abort()
      followers.close()
      await log.close?.()
    },
  }
}

/** Whether JSON is wanted, and events are not. */
const wantsJson = (accept: string): boolean => /application\/json/i.test(accept) && !/text\/event-stream/i.test(accept)

function atLeast(path: string, value: number, least: number): void {
  if (!(value >= least)) throw new CacheError('option', `${path} is ${value}; it must be ${least} or more`, { path })
}
