import { CacheError } from '../errors.ts'
import type { Ms, PurgeLog } from '../http/message.ts'
import { appendPurge, emptyLog } from '../http/purge-log.ts'
import { platform } from '../platform/platform.ts'
import { systemClock } from '../platform/system-clock.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { CacheKey, Snapshot, Store, StoredRecord, StoreKey } from '../ports/store.ts'
import { packedRecord, unpackedRecord } from '../stores/packed-record.ts'
import { arePurges, isNumber, isObject, isText } from '../stores/stored-record.ts'

/** What is needed of a storage of the package `unstorage`. */
export interface UnstorageLike {
  getItemRaw(key: string): Promise<unknown>
  setItemRaw(key: string, value: unknown, options?: { readonly ttl?: number }): Promise<void>
  removeItem(key: string): Promise<void>
}

export interface UnstorageStoreOptions {
  /** What the names of all items begin with. @default 'nearcache' */
  readonly base?: string
  /** For drivers that know a `ttl` (Redis, Cloudflare KV): how long a record is kept after it was last written, in seconds; the purge log always stays. Others keep everything until you remove it. @default 604,800: a week */
  readonly ttlSeconds?: number
  /** How long the storage may take for one read or write of the cache, in milliseconds. @default 3,000 */
  readonly deadlineMs?: Ms
  readonly clock?: Clock
  readonly random?: Random
}

/** What lies in the item `log`. */
type StoredLog = Pick<PurgeLog, 'incarnation' | 'last' | 'floor' | 'purges'>

/**
 * A durable store on any driver of `unstorage`, for caches in Node and at the edge: `createCache({ store: unstorageStore(storage) })`.
 *
 * A record and its bodies are one item, so they agree; a torn or damaged item is a miss. Within one process updates go one after another, and fulfil the whole store contract.
 *
 * What a medium without transactions cannot give: between processes that share a storage, two updates of one record at the same moment leave one of them (a miss later on, never a wrong answer), and two purges at the
 * same moment may leave one of them. So let one process purge, or have each follow a purge feed with a `base` of its own. `strict` durability is what the driver's `setItem` promises, and there is no budget but `ttlSeconds`.
 *
 * @throws CacheError with code `option` when `storage` is none, or an option is wrong
 */
export function unstorageStore(storage: UnstorageLike, options: UnstorageStoreOptions = {}): Store {
  if (typeof storage?.getItemRaw !== 'function' || typeof storage.setItemRaw !== 'function')
    throw new CacheError(
      'option',
      'unstorageStore() needs a storage of the package unstorage: createStorage({ driver })',
      { path: 'storage' },
    )
  const { base = 'nearcache', ttlSeconds = 604_800, deadlineMs = 3_000 } = options
  const { clock = systemClock, random = platform().random } = options
  if (!(ttlSeconds > 0))
    throw new CacheError('option', `ttlSeconds is ${ttlSeconds}; it must be greater than 0`, { path: 'ttlSeconds' })
  if (!(deadlineMs > 0))
    throw new CacheError('option', `deadlineMs is ${deadlineMs}; it must be greater than 0`, { path: 'deadlineMs' })
  const logItem = `${base}:log`
  let working: Promise<unknown> = Promise.resolve()
  /** Set while the storage does not answer. */
  let hanging: DOMException | undefined
  let lastEnded = Number.NEGATIVE_INFINITY
  /** Items by the keys that they stand for: a digest takes longer than a look. */
  const items = new Map<string, Promise<string>>()

  function itemOf(partition: string, key: CacheKey): Promise<string> {
    const name = nameOf(partition, key)
    const known = items.get(name)
    if (known) return known
    if (items.size >= 10_000) items.clear()
    // Storages read something into slashes, colons, question marks and letter case; file systems limit a name to 255 bytes.
    const item = digest(name).then((text) => `${base}:record:${text}`)
    items.set(name, item)
    return item
  }

  async function readLog(): Promise<PurgeLog | undefined> {
    const bytes = asBytes(await storage.getItemRaw(logItem))
    const log = bytes && parse(new TextDecoder().decode(bytes))
    if (!isObject(log)) return undefined
    const { incarnation, last, floor, purges } = log
    if (!isText(incarnation) || !isNumber(last) || !isNumber(floor) || !arePurges(purges, last)) return undefined
    return { incarnation, last, floor, purges }
  }

  const writeLog = ({ incarnation, last, floor, purges }: PurgeLog) =>
    storage.setItemRaw(
      logItem,
      new TextEncoder().encode(JSON.stringify({ incarnation, last, floor, purges } satisfies StoredLog)),
    )

  /** The log; a storage without one begins a life. */
  async function logNow(): Promise<PurgeLog> {
    const log = await readLog()
    if (log) return log
    const begun = emptyLog([0, 0].map(() => Math.floor(random() * 2 ** 32).toString(36)).join(''))
    await writeLog(begun)
    return begun
  }

  async function readRecord(partition: string, key: CacheKey): Promise<StoredRecord | undefined> {
    const bytes = asBytes(await storage.getItemRaw(await itemOf(partition, key)))
    return bytes && unpackedRecord(bytes, nameOf(partition, key))
  }

  async function snapshotOf(keys: readonly StoreKey[]): Promise<Snapshot> {
    const [log, ...records] = await Promise.all([
      logNow(),
      ...keys.map(([, partition, key]) => readRecord(partition, key)),
    ])
    const held = new Map(keys.map(([, partition, key], index) => [nameOf(partition, key), records[index]]))
    const record: Snapshot['record'] = (partition, key) => held.get(nameOf(partition, key))
    return {
      log,
      record,
      body: (partition, key, id) => record(partition, key)?.responses.find(({ body }) => body.id === id)?.body.bytes,
    }
  }

  /**
   * One after another, in this process, and each within the deadline. What hangs keeps its turn, since it may still write; who waits behind it fails with it and does nothing any more, and who comes meanwhile is refused at once.
   */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (hanging) throw hanging
    const timer = new AbortController()
    let tooLate: DOMException | undefined
    const turn = working.then(() => {
      if (tooLate) throw tooLate
      return work()
    })
    const ended = () => {
      hanging = undefined
      lastEnded = clock.now()
      timer.abort()
    }
    working = turn.then(ended, ended)
    const late = silence(timer.signal).then(() => {
      tooLate = new DOMException(`The storage did not answer within ${deadlineMs} ms (deadlineMs)`, 'TimeoutError')
      hanging = tooLate
      throw tooLate
    })
    return Promise.race([turn, late])
  }

  /** Resolves when nothing has ended for as long as the deadline. */
  async function silence(signal: AbortSignal): Promise<void> {
    for (const asked = clock.now(); ; ) {
      const rest = Math.max(asked, lastEnded) + deadlineMs - clock.now()
      if (rest <= 0) return
      await clock.sleep(Math.min(rest, deadlineMs), signal)
    }
  }

  async function putRecord(partition: string, key: CacheKey, value: StoredRecord | undefined): Promise<void> {
    const item = await itemOf(partition, key)
    const before = value?.responses.some(({ body }) => !body.bytes) ? await readRecord(partition, key) : undefined
    const responses = (value?.responses ?? []).flatMap((one) => {
      const bytes = one.body.bytes ?? before?.responses.find(({ body }) => body.id === one.body.id)?.body.bytes
      return bytes && !one.memoryOnly ? [{ ...one, body: { ...one.body, bytes } }] : []
    })
    if (responses.length === 0) return storage.removeItem(item)
    await storage.setItemRaw(item, packedRecord({ v: 1, responses }, nameOf(partition, key)), { ttl: ttlSeconds })
  }

  return {
    read: (keys) => inTurn(() => snapshotOf(keys)),
    update: (keys, change) =>
      inTurn(async () => {
        const snapshot = await snapshotOf(keys)
        const writes = change(snapshot)
        const log = writes.reduce(
          (now, one) => (one.kind === 'purge' ? appendPurge(now, one.purge) : now),
          snapshot.log,
        )
        // First what forbids, then what it may be about: broken off in between, nothing is used that must not be.
        if (log !== snapshot.log) await writeLog(log)
        for (const one of writes) if (one.kind === 'record') await putRecord(one.partition, one.key, one.value)
        return log
      }),
  }
}

const nameOf = (partition: string, key: CacheKey): string => JSON.stringify([partition, ...key])

async function digest(text: string): Promise<string> {
  const cipher = platform().cipher()
  if (!cipher)
    throw new CacheError('option', 'This runtime has no WebCrypto (crypto.subtle), which unstorageStore() needs')
  const bytes = new Uint8Array(await cipher.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** What a driver gives back: bytes, whatever they are in. */
function asBytes(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
