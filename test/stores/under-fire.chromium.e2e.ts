import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, test as base, type CDPSession, chromium, expect, type Page } from '@playwright/test'
import { chromiumLaunch } from '../support/browsers.ts'
import { type FireOrigin, startOrigin } from './fire-origin.ts'
import type { Answer } from './fire-page.ts'

// FAULTS 4.1, what only Chromium's DevTools can bring about: a full disk, a frozen tab, a damaged file, storage cleared under a running page.

interface Setting {
  readonly origin: FireOrigin
  /** Where the browser keeps what it stores. */
  readonly folder: string
  /** Starts the browser, or starts it again with what it has stored. */
  start(): Promise<BrowserContext>
}

const test = base.extend<{ setting: Setting }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  setting: async ({}, use) => {
    const origin = await startOrigin()
    const folder = mkdtempSync(join(tmpdir(), 'nearcache-fire-'))
    let running: BrowserContext | undefined
    await use({
      origin,
      folder,
      async start() {
        await running?.close()
        running = await chromium.launchPersistentContext(folder, { ...chromiumLaunch, headless: true })
        return running
      },
    })
    await running?.close()
    rmSync(folder, { recursive: true, force: true })
    await origin.close()
  },
})

test.describe.configure({ timeout: 120_000 })

/** A tab with a cache in it. A patient one lets the disk alone answer, however slow the machine is. */
async function visit(context: BrowserContext, { url }: FireOrigin, diskMs?: number): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.evaluate((given) => fire.open(given), diskMs === undefined ? {} : { deadlines: { diskMs } })
  return page
}
const PATIENT = 60_000

const read = (page: Page, path: string): Promise<Answer> => page.evaluate((asked) => fire.read(asked), path)
const settled = (page: Page) => page.evaluate(() => fire.settled())
const stored = (page: Page) => page.evaluate(() => fire.stored())
const told = (page: Page) => page.evaluate(() => fire.told())

/** Whether what is read now comes to lie on disk; a cache looks now and then whether it can. */
let healings = 0
const heals = (page: Page) =>
  expect
    .poll(
      async () => {
        const path = `/healed/${++healings}`
        await read(page, path)
        await settled(page)
        return (await stored(page)).includes(path)
      },
      { timeout: 90_000 },
    )
    .toBe(true)

const paths = (count: number, name = 'n') => Array.from({ length: count }, (_, index) => `/${name}/${index}`)

test.describe('a full disk', () => {
  const QUOTA = 300_000

  /** A tab that has asked for more than there is room for. */
  async function overfull({ origin, start }: Setting): Promise<{ page: Page; devtools: CDPSession }> {
    const context = await start()
    const page = await context.newPage()
    await page.goto(origin.url)
    const devtools = await context.newCDPSession(page)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: origin.url, quotaSize: QUOTA })
    await page.evaluate(() => fire.open())
    for (const path of paths(40)) {
      const answer = await read(page, `${path}?size=20000`)
      expect(answer).toMatchObject({ path, isWhole: true })
      await settled(page)
    }
    return { page, devtools }
  }

  test('every caller has the response, something makes room, the rest stays, and it heals (F-03)', async ({
    setting,
  }) => {
    const { page, devtools } = await overfull(setting)
    const { failures, evicted, errors } = await told(page)
    expect(new Set(failures)).toEqual(new Set(['update: QuotaExceededError']))
    expect(evicted).toBeGreaterThan(0)
    expect(errors).toEqual([])
    // Memory has what the disk has not.
    expect(await read(page, '/n/39?size=20000')).toMatchObject({ cause: 'fresh' })
    const kept = await stored(page)
    expect(kept.length).toBeGreaterThan(0)

    const next = await visit(page.context(), setting.origin, PATIENT)
    for (const path of kept) {
      expect(await read(next, `${path}?size=20000`)).toMatchObject({ isWhole: true, cause: 'fresh' })
      expect(setting.origin.asked(path)).toBe(1)
    }
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: setting.origin.url })
    await heals(page)
  })

  test('a purge holds on disk too: with no room for its record, what is stored is removed (F-04)', async ({
    setting,
  }) => {
    const { page } = await overfull(setting)
    const [path] = await stored(page)
    expect(await page.evaluate((url) => fire.purge(`${url}?size=20000`), path)).toMatchObject({ durable: true })
    expect(await stored(page)).toEqual([])

    const next = await visit(page.context(), setting.origin)
    expect(await read(next, `${path}?size=20000`)).toMatchObject({ path, isWhole: true, cause: 'miss' })
    expect((await told(page)).errors).toEqual([])
  })
})

test.describe('a tab that is in the way', () => {
  test('an upgrade that it blocks: the page runs in memory, and leaves the newer database alone (F-05, F-06)', async ({
    setting,
  }) => {
    const context = await setting.start()
    const [old, newer, page] = [
      await visit(context, setting.origin),
      await visit(context, setting.origin),
      await visit(context, setting.origin),
    ]
    await old.evaluate(() => fire.stayConnected())
    await newer.evaluate(() => fire.upgrade(2))
    // Opens of every version wait behind it.
    expect(await read(page, '/a')).toMatchObject({ path: '/a', isWhole: true, cause: 'miss' })
    expect(await read(page, '/a')).toMatchObject({ cause: 'fresh' })
    await settled(page)
    expect((await told(page)).failures).toContain('read: TimeoutError')

    await old.evaluate(() => fire.release())
    expect(await newer.evaluate(() => fire.upgraded(2))).toBe(2)
    await newer.evaluate(() => fire.put('theirs'))
    await expect
      .poll(
        async () => {
          await read(page, `/after/${++healings}`)
          return (await told(page)).failures
        },
        { timeout: 90_000 },
      )
      .toContain('read: VersionError')
    expect(await newer.evaluate(() => fire.upgraded(2))).toBe(2)
    expect(await newer.evaluate(() => fire.has('theirs'))).toBe(true)
    expect((await told(page)).errors).toEqual([])
  })

  test('a deletion that it blocks: the page runs in memory, and heals when the tab is gone (F-05)', async ({
    setting,
  }) => {
    const context = await setting.start()
    const [old, page] = [await visit(context, setting.origin), await visit(context, setting.origin)]
    await old.evaluate(() => fire.stayConnected())
    await old.evaluate(() => fire.remove())
    expect(await read(page, '/a')).toMatchObject({ path: '/a', isWhole: true, cause: 'miss' })
    await settled(page)
    await old.close()
    await heals(page)
    expect((await told(page)).errors).toEqual([])
  })

  test('frozen with an open transaction: reads, writes and purges of others come to their end, and heal (F-07)', async ({
    setting,
  }) => {
    const context = await setting.start()
    const [frozen, page] = [await visit(context, setting.origin), await visit(context, setting.origin)]
    await read(page, '/before')
    await settled(page)
    const devtools = await context.newCDPSession(frozen)
    await frozen.evaluate(() => fire.holdTransaction())
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })

    for (const path of paths(5, 'during'))
      expect(await read(page, path)).toMatchObject({ path, isWhole: true, cause: 'miss' })
    await settled(page)
    expect((await told(page)).failures).toContain('update: TimeoutError')
    expect(await page.evaluate(() => fire.purge('/before'))).toMatchObject({ durable: false })
    expect(await read(page, '/before')).toMatchObject({ seq: 7, cause: 'miss' })

    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await frozen.evaluate(() => fire.release())
    await heals(page)
    // The disk has learned of the purge before anything else.
    const next = await visit(context, setting.origin)
    expect((await read(next, '/before')).seq).toBeGreaterThanOrEqual(7)
    expect((await told(page)).errors).toEqual([])
  })
})

test.describe('damaged files', { tag: '@long' }, () => {
  /** All files below a folder. */
  const filesIn = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))

  /** From 5 MB on Chromium lays a value into a file of its own. */
  const SIZES = [1_000, 30_000, 200_000, 5_000_000]
  const all = paths(9, 'f').map((path, index) => `${path}?size=${SIZES[index % 4]}`)
  const PURGED = all[4] as string

  /** A profile in which all of this lies, one of it purged. Gives the number of the last answer before. */
  async function filled({ start, origin }: Setting): Promise<number> {
    const context = await start()
    const page = await visit(context, origin)
    for (const path of all) await read(page, path)
    await settled(page)
    await page.evaluate((url) => fire.purge(url), PURGED)
    await context.close()
    return all.length
  }

  /** The browser starts again: every answer is whole, nothing purged comes back, and everything is stored again. */
  async function startsAgain({ start, origin }: Setting, before: number): Promise<void> {
    const page = await visit(await start(), origin, PATIENT)
    // All at once: they share transactions.
    const answers = await page.evaluate((asked) => Promise.all(asked.map((path) => fire.read(path))), all)
    for (const [index, path] of all.entries()) {
      expect(answers[index]).toMatchObject({ path: path.split('?')[0], isWhole: true })
      if (path === PURGED) expect(answers[index]?.seq).toBeGreaterThan(before)
    }
    await settled(page)
    expect((await told(page)).errors).toEqual([])

    const next = await visit(page.context(), origin, PATIENT)
    for (const path of all) expect(await read(next, path)).toMatchObject({ isWhole: true, cause: 'fresh' })
  }

  for (const part of [0.02, 0.98]) {
    test(`one byte of the database's log is another, ${part * 100} % into it: at worst a cold start (F-09)`, async ({
      setting,
    }) => {
      const before = await filled(setting)
      const logs = filesIn(setting.folder).filter((path) => /127\.0\.0\.1.*\.leveldb\/.*\.log$/.test(path))
      expect(logs).toHaveLength(1)
      for (const path of logs) {
        const bytes = readFileSync(path)
        const index = Math.floor(bytes.length * part)
        bytes[index] = (bytes[index] ?? 0) ^ 0xff
        writeFileSync(path, bytes)
      }
      await startsAgain(setting, before)
    })
  }

  test('the files of large values are gone: those are misses, and are stored anew (F-10, F-11)', async ({
    setting,
  }) => {
    const before = await filled(setting)
    const blobs = filesIn(setting.folder).filter((path) => path.includes('.indexeddb.blob/'))
    expect(blobs.length).toBeGreaterThan(0)
    for (const path of blobs) rmSync(path)
    await startsAgain(setting, before)
    for (const [index, path] of all.entries()) {
      const isAskedAgain = path === PURGED || path.endsWith('5000000')
      expect([path, setting.origin.asked(`/f/${index}`)]).toEqual([path, isAskedAgain ? 2 : 1])
    }
  })
})

test.describe('storage cleared while a page runs (F-12)', () => {
  for (const how of ['by the user', 'by Clear-Site-Data: "storage"']) {
    test(`${how}: the next operation begins anew, and memory is not taken for newer than what nobody remembers`, async ({
      setting,
    }) => {
      const context = await setting.start()
      const page = await visit(context, setting.origin, PATIENT)
      for (const path of ['/a', '/b']) await read(page, path)
      await settled(page)
      if (how === 'by the user') {
        const devtools = await context.newCDPSession(page)
        await devtools.send('Storage.clearDataForOrigin', { origin: setting.origin.url, storageTypes: 'all' })
      } else await page.evaluate(() => fetch('/clear?clear', { cache: 'no-store' }))

      await read(page, '/c')
      await settled(page)
      expect(await read(page, '/a')).toMatchObject({ path: '/a', isWhole: true, cause: 'miss' })
      expect(setting.origin.asked('/a')).toBe(2)
      await settled(page)
      expect((await stored(page)).toSorted()).toEqual(['/a', '/c'])
      expect(await told(page)).toMatchObject({ failures: [], errors: [] })
    })
  }
})
