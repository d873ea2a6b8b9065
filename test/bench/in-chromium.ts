// What `npm run bench` measures in a real Chromium. The code that runs in its pages is in the files that end in `-in-page`.
import type { BrowserContext, Page } from 'playwright'
import { bundle } from '../size/bundle.ts'
import type * as GrowthPage from './growth-in-page.ts'
import type * as HooksPage from './hooks-in-page.tsx'
import type * as InPage from './in-page.ts'
import { onlyHits } from './only-hits.ts'
import { type BenchOrigin, productsAsked, startOrigin } from './origin.ts'
import { workerPeers } from './peers/workers.ts'
import { inProfile } from './profile.ts'
import { sizes } from './sample.ts'
import { type Table, tableOf } from './table.ts'

type Global = { readonly bench: typeof InPage; readonly hooks: typeof HooksPage; readonly growth: typeof GrowthPage }

/** A browser with a profile of its own, with pages that have the code of `entry` loaded, as `globalName`. */
async function inChromium<T>(
  entry: string,
  globalName: string,
  work: (kit: Kit) => Promise<T>,
  files: Readonly<Record<string, string>> = {},
): Promise<T> {
  const { code } = await bundle({ path: entry }, { format: 'iife', globalName })
  // A file of its own, so that the browser keeps it compiled, as it does for any page that is loaded again.
  const page = '<!doctype html><title>Benchmark</title><script src="/code.js"></script>'
  const origins: BenchOrigin[] = []
  const newOrigin = async () => {
    const origin = await startOrigin({ '/code.js': code, '/': page, ...files })
    origins.push(origin)
    return origin
  }
  try {
    const origin = await newOrigin()
    return await inProfile((context) => work({ origin, context, newOrigin }))
  } finally {
    for (const origin of origins) origin.close()
  }
}

interface Kit {
  readonly origin: BenchOrigin
  readonly context: BrowserContext
  /** One more with the same pages: what they store lies apart. */
  newOrigin(): Promise<BenchOrigin>
}

/** Does `work` in a page that was just loaded. */
async function inFreshPage<T>(context: BrowserContext, url: string, work: (page: Page) => Promise<T>): Promise<T> {
  const page = await context.newPage()
  page.setDefaultTimeout(300_000)
  try {
    await page.goto(url)
    return await work(page)
  } finally {
    await page.close()
  }
}

export const measureHits = (): Promise<readonly Table[]> =>
  inChromium('test/bench/in-page.ts', 'bench', async ({ origin, context }) => {
    const tables: Table[] = []
    for (const size of sizes) {
      const samples = await inFreshPage(context, origin.url, (page) =>
        page.evaluate((kb) => (globalThis as unknown as Global).bench.hits(kb), size),
      )
      tables.push(tableOf(`page-hit-${size}`, `A hit, ${size} KB, Chromium`, 'µs', samples))
    }
    const samples = await inFreshPage(context, origin.url, (page) =>
      page.evaluate(() => (globalThis as unknown as Global).bench.hundredAtOnce()),
    )
    return [...tables, tableOf('page-hundred', '100 keys at once, all stored, Chromium', 'µs', samples)]
  })

/**
 * The first answers of pages that were just loaded, with ever so much on disk, peer by peer. Reloaded, a page has its code compiled as far as it has run before; in a new tab nothing has run yet, which costs each of
 * them as much as it has code.
 */
export const measureColdStart = async (): Promise<readonly Table[]> => [
  ...(await coldStart(1_000, ['after a reload'])),
  ...(await coldStart(10_000, ['after a reload', 'in a new tab'])),
]

const coldStart = (count: number, ways: readonly Way[]): Promise<readonly Table[]> =>
  inChromium('test/bench/in-page.ts', 'bench', async ({ origin, context }) => {
    const names = await inFreshPage(context, origin.url, (page) =>
      page.evaluate(async (many) => {
        const { disk } = (globalThis as unknown as Global).bench
        await disk.fill(many)
        return disk.names
      }, count),
    )
    const tables: Table[] = []
    for (const way of ways) tables.push(...(await firstAnswers(context, origin.url, names, count, way)))
    return tables
  })

type Way = 'after a reload' | 'in a new tab'

async function firstAnswers(
  context: BrowserContext,
  url: string,
  names: readonly string[],
  count: number,
  way: Way,
): Promise<readonly Table[]> {
  const measured = new Map<string, Record<string, number[]>>()
  const keep = (id: string, name: string, value: number) => {
    const samples = measured.get(id) ?? {}
    samples[name] = [...(samples[name] ?? []), value]
    measured.set(id, samples)
  }
  const first = (page: Page, name: string, many: number, round: number) =>
    page.evaluate(([peer, all, at, some]) => (globalThis as unknown as Global).bench.disk.first(peer, all, at, some), [
      name,
      count,
      (round * 97) % (count - 100),
      many,
    ] as const)
  const tabs = new Map<string, Page>()
  for (const name of way === 'after a reload' ? names : []) {
    const page = await context.newPage()
    await page.goto(url)
    tabs.set(name, page)
  }
  // The first round runs what a reload finds compiled.
  for (let round = 0; round <= 9; round++) {
    for (const name of names) {
      const tab = tabs.get(name)
      await tab?.bringToFront()
      for (const many of [1, 100]) {
        await tab?.reload()
        const { took, longest } = tab
          ? await first(tab, name, many, round)
          : await inFreshPage(context, url, (page) => first(page, name, many, round))
        if (round === 0) continue
        keep(`start-${many}`, name, took)
        keep(`task-${many}`, name, longest)
      }
    }
  }
  for (const tab of tabs.values()) await tab.close()
  const table = (id: string, title: string) =>
    tableOf(
      `${id}-${count}${way === 'in a new tab' ? '-tab' : ''}`,
      `${title} ${way}, ${count.toLocaleString('en')} stored, Chromium`,
      'ms',
      measured.get(id) ?? {},
    )
  return [
    table('start-1', 'The first answer'),
    table('start-100', 'The first 100 answers'),
    table('task-100', 'Longest task of these (0: none of 50)'),
  ]
}

/** The same request from pages with a worker each, in turn. */
export async function measureWorkers(): Promise<readonly Table[]> {
  const scripts = await Promise.all(
    workerPeers.map(async ({ name, contents }, index) => ({
      name,
      path: `/${index}/`,
      code: (await bundle({ contents }, { format: 'iife' })).code,
    })),
  )
  const files = Object.fromEntries(scripts.map(({ path, code }) => [`${path}worker.js`, code]))
  return inChromium(
    'test/bench/in-page.ts',
    'bench',
    async ({ origin, context }) => {
      const tabs: Array<{ name: string; tab: Page; took: number[] }> = []
      for (const { name, path } of [{ name: 'no worker, the HTTP cache', path: '/plain/' }, ...scripts]) {
        const tab = await context.newPage()
        await tab.goto(origin.url + path)
        if (path !== '/plain/') {
          await tab.evaluate(async () => {
            await navigator.serviceWorker.register('worker.js')
            await navigator.serviceWorker.ready
          })
          await tab.goto(origin.url + path)
          if (!(await tab.evaluate(() => navigator.serviceWorker.controller)))
            throw new Error(`${name} does not control`)
        }
        tabs.push({ name, tab, took: [] })
      }
      const ask = async (rounds: number, keep: boolean) => {
        for (let round = 0; round < rounds; round++) {
          for (const { tab, took } of tabs) {
            await tab.bringToFront()
            const samples = await tab.evaluate(() =>
              (globalThis as unknown as Global).bench.fetched('/product/1/worker', 40),
            )
            if (keep) took.push(...samples)
          }
        }
      }
      // The first ones start the worker and warm it up.
      await ask(2, false)
      await onlyHits(
        () => productsAsked(origin),
        () => ask(18, true),
      )
      const samples = Object.fromEntries(tabs.map(({ name, took }) => [name, took]))
      return [tableOf('worker', 'fetch().json() through a worker, 1 KB, Chromium', 'µs', samples)]
    },
    files,
  )
}

/** 100 readers in each of five tabs, all at once, of a key that nobody has. */
export const measureTabs = (): Promise<readonly Table[]> =>
  inChromium('test/bench/in-page.ts', 'bench', async ({ origin, context }) => {
    const tabs = await Promise.all(Array.from({ length: 5 }, () => context.newPage()))
    for (const tab of tabs) await tab.goto(origin.url)
    const names = (await tabs[0]?.evaluate(() => (globalThis as unknown as Global).bench.herd.names)) ?? []
    const samples: Record<string, number[]> = {}
    const requests: Record<string, number[]> = {}
    // The first round is for what is to be in use for a while.
    for (let round = 0; round <= 9; round++) {
      for (const [index, name] of names.entries()) {
        const path = `/product/1/tabs-${round}-${index}`
        const took = await Promise.all(
          tabs.map((tab) =>
            tab.evaluate(([peer, url]) => (globalThis as unknown as Global).bench.herd.ask(peer, url, 100), [
              name,
              origin.url + path,
            ] as const),
          ),
        )
        const asked = origin.asked.get(path)
        if (!asked) throw new Error(`${name} had an answer from nowhere`)
        if (round === 0) continue
        samples[name] = [...(samples[name] ?? []), Math.max(...took)]
        requests[name] = [...(requests[name] ?? []), asked]
      }
    }
    const worst = Object.fromEntries(
      Object.entries(requests).map(([name, counts]) => [name, `${Math.max(...counts)} at most`]),
    )
    return [
      tableOf('tabs', '100 readers × 5 tabs of one cold key, the slowest, Chromium', 'ms', samples),
      tableOf('tabs-requests', 'What the origin was asked for these, Chromium', 'requests', requests, worst),
    ]
  })

export const measureHooks = (): Promise<readonly Table[]> =>
  inChromium('test/bench/hooks-in-page.tsx', 'hooks', async ({ origin, context }) => {
    const samples = await inFreshPage(context, origin.url, (page) =>
      page.evaluate(() => (globalThis as unknown as Global).hooks.mounted(15)),
    )
    return [tableOf('hooks', '1,000 components shown, all data in memory, Chromium', 'ms', samples)]
  })

/** The same costs with ever more on disk. */
export const measureGrowthOnDisk = (): Promise<readonly Table[]> =>
  inChromium('test/bench/growth-in-page.ts', 'growth', async ({ context, newOrigin }) => {
    const start: Record<string, number[]> = {}
    const costs: Record<keyof Awaited<ReturnType<Global['growth']['costs']>>, Record<string, number[]>> = {
      hit: {},
      write: {},
      relaxedPut: {},
      purge: {},
      strictPut: {},
    }
    const places = await Promise.all(
      [10, 1_000, 100_000].map(async (count) => ({ count, url: (await newOrigin()).url })),
    )
    for (const { count, url } of places)
      await inFreshPage(context, url, (page) =>
        page.evaluate((many) => (globalThis as unknown as Global).growth.fill(many), count),
      )
    for (let round = 0; round < 9; round++) {
      for (const { count, url } of places) {
        const name = `${count.toLocaleString('en')} stored`
        const took = await inFreshPage(context, url, (page) =>
          page.evaluate((many) => (globalThis as unknown as Global).growth.start(many), count),
        )
        start[name] = [...(start[name] ?? []), took]
      }
    }
    for (let round = 0; round < 5; round++) {
      for (const { count, url } of places) {
        const name = `${count.toLocaleString('en')} stored`
        const measured = await inFreshPage(context, url, (page) =>
          page.evaluate(() => (globalThis as unknown as Global).growth.costs(9)),
        )
        for (const what of Object.keys(costs) as Array<keyof typeof costs>)
          costs[what][name] = [...(costs[what][name] ?? []), ...measured[what]]
      }
    }
    return [
      tableOf('growth-start', 'The first answer in a new tab, with more and more on disk, Chromium', 'ms', start),
      tableOf('growth-page-hit', 'A hit in memory, with more and more on disk, Chromium', 'µs', costs.hit),
      tableOf(
        'growth-page-write',
        'A write until it is on disk, with more and more there, Chromium',
        'ms',
        costs.write,
      ),
      tableOf('growth-page-put', 'The same for a bare put() of as much, relaxed, Chromium', 'ms', costs.relaxedPut),
      tableOf('growth-page-purge', 'A purge of a tag that all carry, until it is on disk, Chromium', 'ms', costs.purge),
      tableOf('growth-page-strict-put', 'The same for a bare put(), strict, Chromium', 'ms', costs.strictPut),
    ]
  })
