// What the pages of many-tabs.e2e.ts run. It stands on `globalThis.tab`, where a test calls it by name.
import { type CacheEvent, type CacheOptions, createCache, type NearCache, type PurgeSelector } from '../../src/index.ts'

const events: CacheEvent[] = []
const errors: string[] = []
const shows: boolean[] = []
addEventListener('error', ({ message }) => errors.push(message))
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))
addEventListener('pageshow', ({ persisted }) => shows.push(persisted))

let cache: NearCache

const here = {
  open(options: CacheOptions = {}) {
    cache = createCache(options)
    cache.on((event) => events.push(event))
  },
  /** The numbers of the origin's answers, in the order of the paths. */
  read: (paths: readonly string[]): Promise<number[]> =>
    Promise.all(paths.map(async (path) => ((await (await cache.fetch(path)).json()) as { seq: number }).seq)),
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
  purge: (selector: PurgeSelector, mode: 'soft' | 'hard') => cache.purge(selector, { mode }),
  settled: () => cache.settled(),
  told: () => ({ types: events.map(({ type }) => type), errors, shows }),
  forget() {
    events.length = 0
  },
}
let late: Promise<number[]> = Promise.resolve([])

type TabPage = typeof here
declare global {
  var tab: TabPage
}
globalThis.tab = here
