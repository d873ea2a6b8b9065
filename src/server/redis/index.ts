import { CacheError } from '../../errors.ts'
import type { EpochMs } from '../../http/message.ts'
import { platform } from '../../platform/platform.ts'
import { systemClock } from '../../platform/system-clock.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { type FeedPurge, type LoggedPurge, type Position, readPurge } from '../../purge/messages.ts'
import { mark, type PurgeLogPort, sliceOf } from '../purge-log.ts'

/** What is needed of a client of the package `redis` (node-redis), connected by the caller: commands as lists of texts, and another connection like it. */
export interface RedisClient {
  sendCommand(args: readonly string[]): Promise<unknown>
  duplicate(): RedisClient & {
    connect(): Promise<unknown>
    destroy(): void
    on(event: 'error', listener: () => void): unknown
  }
}

export interface RedisPurgeLogOptions {
  /** What the names of all keys begin with. One log, one prefix; in a cluster all of them are in one slot. @default '{nearcache}' */
  readonly prefix?: string
  /** Purges kept. @default 1000 */
  readonly retain?: number
  readonly clock?: Clock
  readonly random?: Random
}

/** How long one wait for news takes at most, in milliseconds. */
const BLOCK_MS = 5_000
/** The pause after Redis could not be reached, at most, in milliseconds. */
const PAUSE_MS = 2_000

/**
 * Gives a purge the next number and keeps it, unless its source was dealt with: in one step, so that all nodes share one numbering without a gap, and a purge and the note that it is done are
 * there together or not at all. The note comes last: where there is no room for it, the purge is there twice rather than not. The entry's id in the stream is its number.
 * KEYS: stream, life, then the note of a message, or schedule and purges. ARGV: a life for a log that has none, mark, purge, entries kept, then `message` and for how long, or `scheduled` and the id.
 */
const APPEND = `
if ARGV[5] == 'message' and redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
if ARGV[5] == 'scheduled' and not redis.call('ZSCORE', KEYS[3], ARGV[6]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'NX')
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local number = 1
if last[1] then number = tonumber(string.match(last[1][1], '^%d+')) + 1 end
redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[4], number .. '-0', 'mark', ARGV[2], 'purge', ARGV[3])
if ARGV[5] == 'message' then redis.call('SET', KEYS[3], '1', 'PX', ARGV[6]) end
if ARGV[5] == 'scheduled' then
  redis.call('ZREM', KEYS[3], ARGV[6])
  redis.call('HDEL', KEYS[4], ARGV[6])
end
return number`

/** Keeps a purge for later, unless the message that asks for it was dealt with. KEYS: schedule, purges, note. ARGV: id, purge, when, for how long the note stays (none: 0). */
const SCHEDULE = `
if ARGV[4] ~= '0' and redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
if ARGV[4] ~= '0' then redis.call('SET', KEYS[3], '1', 'PX', ARGV[4]) end
return 1`

/** All that is kept, and the log's life. KEYS: stream, life. ARGV: a life, the number from which on. */
const READ = `
redis.call('SET', KEYS[2], ARGV[1], 'NX')
local from = '-'
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
if first[1] and tonumber(string.match(first[1][1], '^%d+')) < tonumber(ARGV[2]) then from = ARGV[2] .. '-0' end
return {redis.call('GET', KEYS[2]), redis.call('XRANGE', KEYS[1], from, '+'), redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)}`

/** Takes what is due, until its lease ends. KEYS: schedule, purges. ARGV: now, end of the lease. */
const TAKE = `
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)
local taken = {}
for _, id in ipairs(due) do
  redis.call('ZADD', KEYS[1], ARGV[2], id)
  taken[#taken + 1] = id
  taken[#taken + 1] = redis.call('HGET', KEYS[2], id) or ''
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {taken, next[2] or ''}`

/**
 * A purge log on Redis Streams, shared by all nodes of a hub: one numbering, and what one node publishes all others feed on. When a node dies, its followers go on at another one, from where they were.
 *
 * Needs Redis 6.2 or later. Where Redis loses its end or all of it (a fail-over to a replica that lagged, a restart without persistence), followers notice by the marks and forget everything, softly.
 *
 * @param client - of the package `redis`, connected; it stays the caller's
 * @throws CacheError with code `option` when `client` is none, or an option is wrong
 */
export function redisPurgeLog(client: RedisClient, options: RedisPurgeLogOptions = {}): PurgeLogPort {
  if (typeof client?.sendCommand !== 'function' || typeof client.duplicate !== 'function')
    throw new CacheError('option', 'redisPurgeLog() needs a connected client of the package redis: createClient()', {
      path: 'client',
    })
  const { prefix = '{nearcache}', retain = 1000, clock = systemClock, random = platform().random } = options
  if (!(Number.isInteger(retain) && retain > 0))
    throw new CacheError('option', `retain is ${retain}; it must be 1 or more`, { path: 'retain' })
  const key = (name: string) => `${prefix}:${name}`
  const noteOf = (message: string) => key(`seen:${message}`)
  const [stream, life, schedule, scheduled] = ['purges', 'life', 'schedule', 'scheduled'].map(key) as [
    string,
    string,
    string,
    string,
  ]
  const listeners = new Set<(purges: readonly LoggedPurge[]) => void>()
  let watching: AbortController | undefined

  const run = (script: string, keys: readonly string[], ...args: readonly string[]) =>
    client.sendCommand(['EVAL', script, String(keys.length), ...keys, ...args])

  /** Where there is one that this version cannot read, whoever listens looks into the log. */
  function tell(entries: readonly Entry[]): void {
    for (const listener of listeners) listener(purgesIn(entries) ?? [])
  }

  /** Waits for what comes in, on a connection of its own, and tells it. */
  async function watch(signal: AbortSignal): Promise<void> {
    for (let after = '$'; !signal.aborted; ) {
      const own = client.duplicate()
      // Told by the command that fails.
      own.on('error', () => {})
      const end = () => own.destroy()
      try {
        await own.connect()
        signal.addEventListener('abort', end)
        // What came in while nobody watched: whoever listens reads the log.
        if (after === '$') {
          const last = entriesOf(await own.sendCommand(['XREVRANGE', stream, '+', '-', 'COUNT', '1']))
          after = `${last[0]?.number ?? 0}-0`
          tell(last)
        }
        while (!signal.aborted) {
          const answer = await own.sendCommand(['XREAD', 'BLOCK', String(BLOCK_MS), 'STREAMS', stream, after])
          const entries = entriesOf(streamIn(answer))
          const last = entries.at(-1)
          if (!last) continue
          after = `${last.number}-0`
          tell(entries)
        }
      } catch {
        after = '$'
        if (!signal.aborted) await clock.sleep(random() * PAUSE_MS, signal).catch(() => {})
      } finally {
        signal.removeEventListener('abort', end)
        if (!signal.aborted) closeQuietly(own)
      }
    }
  }

  return {
    async append(purge, source) {
      const logged = { ...purge, mark: mark(random) }
      const from = !source
        ? { keys: [], args: [] }
        : 'message' in source
          ? { keys: [noteOf(source.message.name)], args: ['message', String(source.message.forMs)] }
          : { keys: [schedule, scheduled], args: ['scheduled', source.scheduled] }
      const args = [mark(random), logged.mark, JSON.stringify(purge), String(retain + 1), ...from.args]
      const number = Number(await run(APPEND, [stream, life, ...from.keys], ...args))
      return number === 0 ? undefined : { ...logged, number }
    },
    async read(after) {
      const [named, entries, last] = (await run(READ, [stream, life], mark(random), String(after?.number ?? 0))) as [
        unknown,
        unknown,
        unknown,
      ]
      const read = entriesOf(entries)
      // A number beyond the end: the end is needed to say so.
      const kept = read.length > 0 ? read : entriesOf(last)
      // One more is kept than is told: its mark is that of where the log begins.
      const [first = { number: 1 }, ...rest] = kept
      const slice =
        first.number === 1
          ? sliceOf(kept, { number: 0, mark: String(named) }, after)
          : sliceOf(rest, first as Entry, after)
      const purges = purgesIn(slice.purges)
      // An entry that this version cannot read may say anything; where the log ends is known all the same.
      return purges ? { ...slice, purges } : { ...slice, complete: false, purges: [] }
    },
    watch(listener) {
      listeners.add(listener)
      if (!watching) {
        watching = new AbortController()
        watch(watching.signal).catch(() => {})
      }
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        watching?.abort()
        watching = undefined
      }
    },
    async schedule({ id, purge }, at, message) {
      const keys = [schedule, scheduled, noteOf(message?.name ?? '')]
      const args = [id, JSON.stringify(purge), String(at), String(message?.forMs ?? 0)]
      return Number(await run(SCHEDULE, keys, ...args)) === 1
    },
    async takeDue(now, leaseMs) {
      const [taken, next] = (await run(TAKE, [schedule, scheduled], String(now), String(now + leaseMs))) as [
        string[],
        string,
      ]
      const due = pairs(taken).flatMap(([id, json]) => {
        const purge = readPurge(JSON.stringify({ ...parse(json), number: 1, mark: id }))
        return purge ? [{ id, purge: withoutPlace(purge) }] : []
      })
      // Another node may schedule something sooner.
      return { due, next: Math.min(next === '' ? Number.POSITIVE_INFINITY : Number(next), (now + BLOCK_MS) as EpochMs) }
    },
    async settle(id) {
      await client.sendCommand(['ZREM', schedule, id])
      await client.sendCommand(['HDEL', scheduled, id])
    },
    async isDone(name) {
      return Number(await client.sendCommand(['EXISTS', noteOf(name)])) === 1
    },
    async close() {
      watching?.abort()
      watching = undefined
      listeners.clear()
    },
  }
}

function closeQuietly(client: { destroy(): void }): void {
  try {
    client.destroy()
  } catch {
    // It was not open.
  }
}

/** The entries of a stream in the answer to XREAD: a list of pairs, or with RESP 3 a map. */
function streamIn(answer: unknown): unknown {
  if (Array.isArray(answer)) return Array.isArray(answer[0]) ? answer[0][1] : answer[1]
  if (answer instanceof Map) return [...answer.values()][0]
  return answer && typeof answer === 'object' ? Object.values(answer)[0] : undefined
}

/** An entry of the log: a place in it, and its purge, where this version can read it. */
interface Entry extends Position {
  readonly purge: LoggedPurge | undefined
}

/** `[[id, [field, value, …]], …]` as entries. */
function entriesOf(entries: unknown): Entry[] {
  if (!Array.isArray(entries)) return []
  return entries.map((entry: unknown) => {
    const [id, fields] = entry as [string, string[]]
    const { mark: own, purge } = Object.fromEntries(pairs(fields))
    const place = { number: Number.parseInt(id, 10), mark: own || id }
    return { ...place, purge: readPurge(JSON.stringify({ ...parse(purge), ...place })) }
  })
}

/** The purges of these entries; `undefined` when not all of them can be read. */
function purgesIn(entries: readonly Entry[]): readonly LoggedPurge[] | undefined {
  const purges = entries.flatMap(({ purge }) => purge ?? [])
  return purges.length === entries.length ? purges : undefined
}

const pairs = (flat: readonly string[]): Array<[string, string]> =>
  flat.flatMap((one, index) => (index % 2 === 0 ? [[one, flat[index + 1] ?? ''] as [string, string]] : []))

function parse(json: string | undefined): object {
  try {
    return JSON.parse(json ?? '')
  } catch {
    return {}
  }
}

const withoutPlace = ({ selector, mode, spread }: LoggedPurge): FeedPurge => ({
  selector,
  mode,
  ...(spread !== undefined && { spread }),
})
