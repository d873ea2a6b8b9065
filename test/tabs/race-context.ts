import type { CacheOptions } from '../../src/index.ts'
import { platform } from '../../src/platform/platform.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import type { Store, StoreKey } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import type { Body, Point } from './race-points.ts'

// What the pages of the race and their worker have in common: a cache on the real database, channel and locks, which can be held at each of the points at which a purge can meet a response on its
// way into the store (FAULTS F-56).

/** Holds all who come to one point. */
interface Hold {
  readonly point: Point
  readonly expected: number
  /** All who are expected have come. */
  readonly reached: Promise<void>
  come(count?: number): void
  readonly opened: Promise<void>
  open(): void
}

function createHold(point: Point, expected: number): Hold {
  const [reached, resolveReached] = promised()
  const [opened, open] = promised()
  let came = 0
  return {
    point,
    expected,
    reached,
    come(count = 1) {
      came += count
      if (came >= expected) resolveReached()
    },
    opened,
    open,
  }
}

function promised(): readonly [Promise<void>, () => void] {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return [promise, resolve]
}

/** What the race tells a context to do. */
export interface Racer {
  /** From now on `count` reads are held at `point`. Resolves when they are armed. */
  arm(point: Point, count: number): void
  /** Resolves when all of them are there. */
  reached(): Promise<void>
  /** Requests that leave from now on are answered with this version. */
  serve(version: number): void
  release(): void
  readonly options: CacheOptions
}

/** @param name - of the database, the channel and the locks */
export function createRacer(name: string): Racer {
  let hold: Hold | undefined
  /** Collects what is to be in one transaction. */
  let together: Hold | undefined
  let isHeldInside = false
  let version = 0

  async function pass(point: Point): Promise<void> {
    if (hold?.point !== point) return
    hold.come()
    await hold.opened
  }

  const factory = platform().databases() as IDBFactory
  const inner = createIndexedDbStore({
    name,
    factory,
    keyRange: platform().keyRange,
    clock: systemClock,
    random: Math.random,
    maxBytes: 2 ** 24,
    maxEntryBytes: 2 ** 20,
    onNotice: (notice) => report(`The store has said ${JSON.stringify(notice)}`),
  })
  const isRecord = (keys: readonly StoreKey[]) => keys.length > 0 && keys.every(([kind]) => kind === 'record')
  const store: Store = {
    ...inner,
    async read(keys) {
      if (isRecord(keys)) await pass('before dispatch')
      return inner.read(keys)
    },
    async update(keys, change, options) {
      if (!isRecord(keys)) return inner.update(keys, change, options)
      await pass('before the transaction')
      if (together) {
        together.come()
        await together.opened
      }
      const log = await inner.update(keys, change, options)
      await pass('after the transaction')
      return log
    },
  }

  // The transaction has its writes, and is kept open by reads until it may be committed.
  const { commit } = IDBTransaction.prototype
  IDBTransaction.prototype.commit = function (this: IDBTransaction) {
    const mine = hold
    if (mine?.point !== 'inside the transaction' || together || isHeldInside || this.mode !== 'readwrite')
      return commit.call(this)
    isHeldInside = true
    let isOpen = false
    mine.opened.then(() => {
      isOpen = true
    })
    const spin = () => {
      if (isOpen) commit.call(this)
      else this.objectStore(this.objectStoreNames[0] as string).get(['nothing']).onsuccess = spin
    }
    spin()
    mine.come(mine.expected)
  }

  const { postMessage } = BroadcastChannel.prototype
  BroadcastChannel.prototype.postMessage = function (this: BroadcastChannel, message: unknown) {
    const { hints = [] } = (message ?? {}) as { hints?: readonly { kind: string }[] }
    const stored = hints.filter(({ kind }) => kind === 'stored').length
    const mine = hold
    if (mine?.point !== 'before others are told' || stored === 0) return postMessage.call(this, message)
    mine.come(stored)
    mine.opened.then(() => postMessage.call(this, message))
  }

  /** The origin, which lies here: what is raced is on this side of it. */
  const send: typeof fetch = async (input, init) => {
    const { pathname: path } = new URL(new Request(input, init).url)
    const bytes = new TextEncoder().encode(JSON.stringify({ path, version } satisfies Body))
    await pass('after headers')
    const body = new ReadableStream<Uint8Array>(
      {
        async start(controller) {
          controller.enqueue(bytes.slice(0, bytes.length / 2))
          await pass('mid-body')
          controller.enqueue(bytes.slice(bytes.length / 2))
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=600', 'cache-tag': 'race' }
    return new Response(body, { headers })
  }

  return {
    arm(point, count) {
      hold = createHold(point, count)
      isHeldInside = false
      together = undefined
      if (point !== 'inside the transaction') return
      const collecting = createHold(point, count)
      together = collecting
      collecting.reached.then(() => {
        together = undefined
        collecting.open()
      })
    },
    reached: () => hold?.reached ?? Promise.resolve(),
    serve(next) {
      version = next
    },
    release() {
      hold?.open()
      hold = undefined
    },
    options: { name, store, fetch: send, deadlines: { diskMs: 60_000, lockMs: 60_000 }, earlyExpiry: false },
  }
}

/** What must not have happened in this context. */
export const reports: string[] = []
const report = (what: string) => reports.push(what)
addEventListener('error', ({ message }) => report(message))
addEventListener('unhandledrejection', ({ reason }) => report(String(reason)))

/** Calls by name over a channel that is the race's own. What a context posts there comes after what its cache has posted before. */
interface Call {
  readonly to: string
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

/** Does what is called for from elsewhere. */
export function answerCalls(me: string, does: Readonly<Record<string, (...args: never[]) => unknown>>): void {
  const channel = new BroadcastChannel('race')
  channel.onmessage = async ({ data }: MessageEvent<Call>) => {
    if (data.to !== me) return
    const result = await does[data.name]?.(...(data.args as never[]))
    channel.postMessage({ to: `${me}'s caller`, id: data.id, result })
  }
}

/** Calls what another context does. */
export function createCaller(): (to: string, name: string, ...args: readonly unknown[]) => Promise<unknown> {
  const channel = new BroadcastChannel('race')
  const waiting = new Map<number, (result: unknown) => void>()
  let ids = 0
  channel.onmessage = ({ data }) => {
    if (!String(data.to).endsWith('caller')) return
    waiting.get(data.id)?.(data.result)
    waiting.delete(data.id)
  }
  return (to, name, ...args) =>
    new Promise((resolve) => {
      const id = ++ids
      waiting.set(id, resolve)
      channel.postMessage({ to, id, name, args } satisfies Call)
    })
}
