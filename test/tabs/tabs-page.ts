// What the pages of many-tabs.e2e.ts run. It stands on `globalThis.tab`, where a test calls it by name.
import { type CacheEvent, type CacheOptions, createCache, type NearCache, type PurgeSelector } from '../../src/index.ts'
import { patientClock } from './patient-clock.ts'

const events: CacheEvent[] = []
const errors: string[] = []
addEventListener('error', ({ message }) => errors.push(message))
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))

let cache: NearCache

const here = {
  open(options: CacheOptions = {}) {
    cache = createCache(options)
    cache.on((event) => events.push(event))
  },
  openPatiently: () => here.open({ clock: patientClock }),
  /** The numbers of the origin's answers, in the order of the paths. */
  read: (paths: readonly string[]): Promise<number[]> =>
    Promise.all(paths.map(async (path) => ((await (await cache.fetch(path)).json()) as { seq: number }).seq)),
  /** The same past the page's own cache: what the worker answers, where there is one. */
  readPlainly: (paths: readonly string[]): Promise<number[]> =>
    Promise.all(paths.map(async (path) => ((await (await fetch(path)).json()) as { seq: number }).seq)),
  /** Resolves when a worker controls the page's next loads. */
  async registerWorker(): Promise<void> {
    await navigator.serviceWorker.register('/worker.js')
    await navigator.serviceWorker.ready
  },
  isControlled: () => navigator.serviceWorker.controller !== null,
  /** The same path by many callers at once: each answer that there was. */
  async crowd(path: string, callers: number): Promise<number[]> {
    return [...new Set(await here.read(Array(callers).fill(path)))]
  },
  /** Starts, and tells later. */
  begin(path: string): void {
    late = here.read([path])
  },
  finish: (): Promise<number[]> => late,
  peek: (path: string) => (cache.peek(path)?.data as { seq: number } | undefined)?.seq,
  /**
   * Reads one path after another, each again and again until the other page has purged it and said so: from then on every answer must be newer than its purge.
   *
   * @returns what was older
   */
  async readAll(rounds: number): Promise<string[]> {
    const old: string[] = []
    for (let round = 0; round < rounds; round++) {
      const path = `/race/${round}`
      const purged = new Promise<number>((resolve) => {
        rivals.onmessage = ({ data }) => data.path === path && resolve(data.version)
      })
      const first = here.read([path])
      rivals.postMessage({ path })
      const version = await purged
      await first
      const [read = 0] = await here.read([path])
      if (read < version) old.push(`${path}: ${read} after ${version}`)
    }
    return old
  },
  /** Hears what the other page reads from now on: before that one begins. */
  hearRival(): void {
    rivals.onmessage = ({ data }) => {
      asked.push(data.path)
      askedNext()
    }
  },
  /** Purges each path a little after the other page has begun to read it, at another moment each time. */
  async purgeAll(rounds: number): Promise<string[]> {
    const old: string[] = []
    for (let round = 0; round < rounds; round++) {
      while (asked.length === 0)
        await new Promise<void>((resolve) => {
          askedNext = resolve
        })
      const path = asked.shift() as string
      // From before the request to after the write: with a head start of up to 12 ms.
      const until = performance.now() + (round % 13)
      while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve))
      const { seq: version } = (await (await fetch('/now', { cache: 'no-store' })).json()) as { seq: number }
      await cache.purge({ url: path }, { mode: 'hard' })
      const [read = 0] = await here.read([path])
      if (read <= version) old.push(`${path}: ${read} after ${version}`)
      rivals.postMessage({ path, version: version + 1 })
    }
    return old
  },
  purge: (selector: PurgeSelector, mode: 'soft' | 'hard') => cache.purge(selector, { mode }),
  settled: () => cache.settled(),
  told: () => ({ types: events.map(({ type }) => type), errors }),
  forget() {
    events.length = 0
  },
}
/** What the two pages of the race tell each other. */
const rivals = new BroadcastChannel('rivals')
/** What the other one reads and has not been purged. */
const asked: string[] = []
let askedNext = () => {}
let late: Promise<number[]> = Promise.resolve([])

type TabPage = typeof here
declare global {
  var tab: TabPage
}
globalThis.tab = here
