/** What the origin says of a response, in seconds. */
export interface Said {
  readonly maxAge?: number
  readonly noStore?: boolean
  readonly noCache?: boolean
  readonly mustRevalidate?: boolean
  readonly staleWhileRevalidate?: number
  readonly staleIfError?: number
  readonly hasEtag: boolean
}

/** `Cache-Control` as the origin sends it; never empty, so that a 304 always says anew what holds. */
export function cacheControlOf(said: Said): string {
  const fields = [
    said.noStore && 'no-store',
    said.noCache && 'no-cache',
    said.mustRevalidate && 'must-revalidate',
    said.maxAge !== undefined && `max-age=${said.maxAge}`,
    said.staleWhileRevalidate !== undefined && `stale-while-revalidate=${said.staleWhileRevalidate}`,
    said.staleIfError !== undefined && `stale-if-error=${said.staleIfError}`,
  ]
  return fields.filter(Boolean).join(', ') || 'private'
}

/** A request that the cache sent, and what came of it. `sent`, `came` and all other moments without a unit are places in the order of events. */
interface Exchange {
  readonly seq: number
  readonly method: string
  readonly path: string
  readonly cacheMode: string
  readonly sent: number
  readonly sentAt: number
  came?: number
  cameAt?: number
  /** 0: a network error, or given up. */
  status?: number
  isOver: boolean
  /** May run beside others: what came before it on this path could not be shared. */
  isApart: boolean
  said?: Said
}

/** A body that the origin made, and the exchanges that vouch for it: the one it came with, then each 304. */
interface Made {
  readonly seq: number
  readonly path: string
  readonly text: string
  readonly vouchers: Exchange[]
  /** How many callers got it. */
  answers: number
}

/** A read under way. */
export interface Call {
  readonly name: string
  readonly path: string
  readonly cacheMode: string
  readonly started: number
  readonly startedAt: number
}

interface Purge {
  readonly mode: 'soft' | 'hard'
  readonly paths: readonly string[]
  /** What labels a response under way will carry is not known: a purge by tag may concern every one of them. */
  readonly isByTag: boolean
  readonly at: number
  readonly done: number
}

/** For how long after a response that could not be shared requests may run side by side, in milliseconds. */
const HIT_FOR_MISS_MS = 30_000

interface LawBookOptions {
  now(): number
  readonly softMs: number
  readonly hardMs: number
  /** A larger body is not collected. */
  readonly maxEntryBytes: number
}

/**
 * Watches a cache from both sides, as a caller and as the origin, and knows the rules of RFC 9111 and RFC 5861 on its own: it shares no code with what it judges.
 * What breaks a law is written down in `broken`.
 */
export function createLawBook({ now, softMs, hardMs, maxEntryBytes }: LawBookOptions) {
  const broken: string[] = []
  const exchanges = new Map<number, Exchange>()
  const made = new Map<number, Made>()
  const purges: Purge[] = []
  const unshared = new Map<string, number>()
  let events = 0

  const demand = (holds: boolean, law: string, about: string) => {
    if (!holds) broken.push(`${law}: ${about}`)
  }
  const isReusable = ({ noStore, noCache, maxAge, mustRevalidate, staleWhileRevalidate = 0 }: Said, ageMs: number) =>
    !noStore &&
    !noCache &&
    maxAge !== undefined &&
    ageMs < (maxAge + (mustRevalidate ? 0 : staleWhileRevalidate)) * 1000

  /** Whether something between the two makes a request of its own right: a purge, or an unsafe method that has succeeded (RFC 9111 §4.4). */
  const isOvertaken = (path: string, since: number) =>
    purges.some(({ paths, isByTag, done }) => done > since && (isByTag || paths.includes(path))) ||
    [...exchanges.values()].some((one) => isSuccess(one) && one.path === path && (one.came ?? 0) > since)
  const isSuccess = ({ method, status = 0 }: Exchange) => method === 'POST' && status >= 200 && status < 400

  /** A request for what is under way already: only where the design lets it. */
  function judgeFlight(next: Exchange): void {
    // Each of these asks for a word of the origin's own.
    if (next.cacheMode !== 'default') return
    const beside = underWay(next.path).filter((one) => one !== next && one.cacheMode === 'default' && !one.isApart)
    // Who came while a body was under way that is of no use any more asks for itself.
    next.isApart ||= underWay(next.path).some((one) => one.came !== undefined && !isUsable(one))
    for (const other of beside) {
      const isAllowed = next.isApart || isOvertaken(next.path, other.sent)
      demand(
        isAllowed,
        'one request under way (RFC 9111 §4, collapsed requests)',
        `#${next.seq} beside #${other.seq} for ${next.path}`,
      )
    }
  }
  const underWay = (path: string) =>
    [...exchanges.values()].filter((one) => !one.isOver && one.path === path && one.method === 'GET')
  const isUsable = ({ said, sentAt }: Exchange) => said !== undefined && isReusable(said, now() - sentAt)

  function sent(seq: number, method: string, path: string, cacheMode: string): void {
    const exchange: Exchange = {
      seq,
      method,
      path,
      cacheMode,
      sent: ++events,
      sentAt: now(),
      isOver: false,
      isApart: now() <= (unshared.get(path) ?? Number.NEGATIVE_INFINITY),
    }
    exchanges.set(seq, exchange)
    if (method === 'GET') judgeFlight(exchange)
  }

  /** The origin has made up its mind: this body is `of` the exchange itself, or an earlier one, which it confirms. */
  function makes(seq: number, body: { of: number; path: string; text: string }, said: Said): void {
    const exchange = exchanges.get(seq)
    if (exchange) exchange.said = said
    if (body.of === seq) made.set(seq, { seq, path: body.path, text: body.text, vouchers: [], answers: 0 })
    if (exchange) made.get(body.of)?.vouchers.push(exchange)
  }

  /** What the exchange came to, at its head. */
  function came(seq: number, status: number): void {
    const exchange = exchanges.get(seq)
    if (!exchange || exchange.came !== undefined) return
    exchange.status = status
    exchange.came = ++events
    exchange.cameAt = now()
    const { said, path, method } = exchange
    const isWhole = status === 200 && (made.get(seq)?.text.length ?? 0) <= maxEntryBytes
    if (!isWhole || said?.noStore) exchange.isOver = true
    if (method !== 'GET' || !said || (status !== 200 && status !== 304)) return
    const isShared = isReusable(said, now() - exchange.sentAt) && !isOvertaken(path, exchange.sent)
    if (!isShared) unshared.set(path, now() + HIT_FOR_MISS_MS)
  }

  /** Nothing more comes of it. */
  function ends(seq: number): void {
    const exchange = exchanges.get(seq)
    if (!exchange) return
    came(seq, 0)
    exchange.isOver = true
  }

  const starts = (name: string, path: string, cacheMode: string): Call => ({
    name,
    path,
    cacheMode,
    started: ++events,
    startedAt: now(),
  })

  /** Whether the origin was seen to fail while the call was waiting. */
  const hasFailed = ({ path, started }: Call, how: (status: number) => boolean) =>
    [...exchanges.values()].some(
      (one) => one.path === path && one.status !== undefined && how(one.status) && (one.came ?? 0) > started,
    )

  /** What speaks against answering the call on the word of this exchange; `undefined`: nothing. `at` is when the cache decided. */
  function objection(born: number, by: Exchange, call: Call, seen: number, at: number): string | undefined {
    const { path, started, cacheMode } = call
    const isFirstHand = by.sent >= started
    const covering = purges.filter(({ paths, done }) => paths.includes(path) && done < (isFirstHand ? started : seen))
    if (covering.some(({ mode, done }) => mode === 'hard' && done > born)) return 'it was purged hard'
    if (isFirstHand) return undefined
    const said = by.said as Said
    if (said.noStore) return 'no-store (RFC 9111 §5.2.2.5)'
    if (said.noCache) return 'no-cache without validation (RFC 9111 §5.2.2.4)'
    if (cacheMode !== 'default') return `the caller asked for ${cacheMode} (Fetch, cache mode)`
    const isInvalid = [...exchanges.values()].some(
      (one) => isSuccess(one) && one.path === path && (one.came ?? 0) < started && by.sent < (one.came ?? 0),
    )
    if (isInvalid) return 'an unsafe method has invalidated it (RFC 9111 §4.4)'
    const softAt = Math.min(...covering.filter(({ done }) => done > by.sent).map((one) => one.at))
    const staleMs = Math.max(at - by.sentAt - (said.maxAge ?? 0) * 1000, at - softAt)
    if (staleMs < 0) return undefined
    if (said.mustRevalidate) return `stale for ${staleMs} ms under must-revalidate (RFC 9111 §5.2.2.2)`
    if (staleMs <= (said.staleWhileRevalidate ?? 0) * 1000) return undefined
    const mayFail = hasFailed(call, (status) => status === 0 || status >= 500) || now() - call.startedAt >= softMs
    if (mayFail && staleMs <= (said.staleIfError ?? 0) * 1000) return undefined
    return `stale for ${staleMs} ms${mayFail ? ', the origin failing' : ''} (RFC 9111 §4.2.4, RFC 5861)`
  }

  /** A caller got the head of this body. `at`: when the cache decided, at the latest; the caller of `json()` cannot know more than when it began. */
  function answered(call: Call, seq: number | undefined, at?: number): void {
    const seen = ++events
    const body = made.get(seq ?? 0)
    if (!body || body.path !== call.path) {
      demand(false, 'a body is one that its origin made', `${call.name} got #${seq} of ${body?.path ?? 'nowhere'}`)
      return
    }
    body.answers++
    const first = body.vouchers[0]
    demand(
      !first?.said?.noStore || body.answers === 1,
      'no-store is never reused (RFC 9111 §5.2.2.5)',
      `#${seq}, ${body.answers} times`,
    )
    const arrived = body.vouchers.filter(({ status }) => status === 200 || status === 304)
    const objections = arrived.flatMap((one) => {
      const later = arrived.filter((other) => other.sent > one.sent).map((other) => other.came ?? 0)
      // What a later 304 has said holds from then on.
      if (Math.min(...later) < call.started) return []
      return [
        objection(
          first?.sent ?? 0,
          one,
          call,
          at === undefined ? call.started : seen,
          at ?? Math.max(call.startedAt, one.cameAt ?? 0),
        ),
      ]
    })
    demand(
      objections.includes(undefined),
      `${call.name} was answered with #${seq}`,
      objections.join('; ') || 'it had not come',
    )
  }

  /** A caller got this text of that body, whole or as much as `length` of it. */
  function read({ name }: Call, seq: number | undefined, text: string, length?: number): void {
    const sentText = made.get(seq ?? 0)?.text.slice(0, length)
    demand(text === sentText, 'a body is what its origin has sent, byte for byte', `${name} got ${text} of #${seq}`)
  }

  /** A caller got an error of the origin's. */
  function answeredError(call: Call, status: number | undefined): void {
    demand(
      status === 503 && hasFailed(call, (one) => one === 503),
      'an error is the origin’s own',
      `${call.name} got ${status}`,
    )
  }

  /** What a call may reject with: a network error, the hard deadline, the reason of the caller's own abort. */
  function threw(call: Call, error: unknown, { aborted, reason }: AbortSignal): void {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
    const isNetwork = error instanceof TypeError && error.message === 'fetch failed'
    demand(
      (aborted && error === reason) ||
        ((isTimeout || isNetwork) && hasFailed(call, (status) => status === 0)) ||
        (isTimeout && now() - call.startedAt >= hardMs),
      'an error is a network error, a TimeoutError or the caller’s reason (Fetch)',
      `${call.name}, ${now() - call.startedAt} ms after its start: ${error}`,
    )
  }

  return {
    broken,
    sent,
    makes,
    came,
    ends,
    starts,
    answered,
    answeredError,
    threw,
    read,
    purged(mode: 'soft' | 'hard', paths: readonly string[], isByTag: boolean): void {
      purges.push({ mode, paths, isByTag, at: now(), done: ++events })
    },
    /** Something else that must hold. */
    demand,
  }
}
