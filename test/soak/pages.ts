import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../size/bundle.ts'
import { launch, type Metrics, type Tab } from './browser.ts'
import { startOrigin } from './origin.ts'
import type { PagePlan, PageWork } from './pages-page.ts'

export interface PagesResult {
  readonly seed: number
  /** Pages, and their worker, that were as they must be: no broken law, heap and listeners back where they were. */
  readonly held: number
  readonly broken: readonly string[]
  readonly figures: Readonly<Record<string, number>>
}

/** Until here everything that is loaded, compiled and remembered once has come, in milliseconds: longer where there is time, since caches fill slowly. */
const warmUpMs = (seconds: number): number => Math.min(30_000, 700 * seconds)
/** Every so often the origin is ill for a while, in milliseconds: long enough to be known to be, and to be well again for longer. */
const OUTAGE_EVERY_MS = 5_000
const OUTAGE_MS = 2_000
/** What a heap may have grown by: code that was compiled late, and what the browser keeps for itself. In bytes. */
const HEAP_BYTES = 2_000_000

/** How often it is looked again: what was let go of last is collected when the browser finds the time. A leak stays. */
const LOOKS = 10

async function leftBehind(tab: Pick<Tab, 'metrics'>, listeners: number): Promise<Metrics> {
  let seen = await tab.metrics()
  for (let look = 1; look < LOOKS && seen.listeners > listeners; look++) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    seen = await tab.metrics()
  }
  return seen
}

const compiled = async (file: URL, globalName?: string): Promise<string> => {
  const path = fileURLToPath(file)
  return (await bundle({ path }, { format: 'iife', ...(globalName && { globalName }) })).code
}

/**
 * Two pages of one profile, and the worker that has them, do at random whatever pages may do, for `seconds`, before an origin that is ill every now and then; then nothing of it may be left: no listener, no timer that holds one, no heap. What the
 * worker has in memory by then it had before.
 */
export async function soakPages({
  seconds,
  seed,
}: {
  readonly seconds: number
  readonly seed: number
}): Promise<PagesResult> {
  const [page, workerCode] = await Promise.all([
    compiled(new URL('./pages-page.ts', import.meta.url), 'soak'),
    compiled(new URL('./pages-worker.ts', import.meta.url)),
  ])
  const began = Date.now()
  const isIll = () => (Date.now() - began) % OUTAGE_EVERY_MS > OUTAGE_EVERY_MS - OUTAGE_MS
  const origin = await startOrigin(seed, page, workerCode, isIll)
  const profile = mkdtempSync(join(tmpdir(), 'nearcache-pages-'))
  const browser = await launch(profile)
  const broken: string[] = []
  const figures: Record<string, number> = { operations: 0 }
  const did = async (tab: Tab, plan: PagePlan): Promise<void> => {
    const {
      operations,
      causes,
      broken: seen,
      old,
    } = (await tab.evaluate(`soak.work(${JSON.stringify(plan)})`, plan.forMs)) as PageWork
    broken.push(...seen)
    for (const { name, version, purgedAt, how } of old) {
      const confirmed = origin.confirmed.get(version) ?? 0
      if (confirmed < purgedAt)
        broken.push(
          `${name} in version ${version} was served (${how}) after the purge of ${purgedAt}; last confirmed ${confirmed}`,
        )
    }
    figures.operations = (figures.operations ?? 0) + operations
    for (const [cause, count] of Object.entries(causes)) figures[cause] = (figures[cause] ?? 0) + count
  }
  let held = 0
  try {
    const tabs = [await browser.open(origin.base, () => {}), await browser.open(origin.base, () => {})]
    await Promise.all(tabs.map((tab) => tab.evaluate('soak.beControlled()')))
    const worker = await browser.worker()
    await Promise.all(tabs.map((tab, index) => did(tab, { seed: seed + index, forMs: warmUpMs(seconds) })))
    const watched = [...tabs, worker]
    const before = await Promise.all(watched.map((one) => one.metrics()))
    await Promise.all(tabs.map((tab, index) => did(tab, { seed: seed + 10 + index, forMs: seconds * 1_000 })))
    const after = await Promise.all(watched.map((one, index) => leftBehind(one, before[index]?.listeners ?? 0)))
    for (const [index, { heapBytes, listeners }] of after.entries()) {
      const base = before[index] as Metrics
      const who = index < tabs.length ? `page ${index}` : 'worker'
      const grown = heapBytes - base.heapBytes
      figures[`kB more in ${who}`] = Math.round(grown / 1_000)
      figures[`listeners more in ${who}`] = listeners - base.listeners
      const faults = [
        ...(grown <= HEAP_BYTES ? [] : [`The ${who} holds ${grown} bytes more than before`]),
        ...(listeners <= base.listeners ? [] : [`The ${who} has ${listeners} listeners, and had ${base.listeners}`]),
      ]
      broken.push(...faults)
      if (faults.length === 0) held++
    }
  } finally {
    await browser.kill()
    await origin.stop()
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
  }
  if (!figures.fresh || !figures.validated || !figures.byWorker)
    broken.push('Nothing was answered from the store: this proves nothing')
  if (!(figures['stale-if-error'] || figures['soft-deadline'] || figures.offline))
    broken.push('Nothing was answered in the place of an origin that was ill: this proves nothing')
  return { seed, held: broken.length > 0 ? 0 : held, broken, figures }
}
