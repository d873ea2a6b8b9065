import { test as base, expect, type Page } from '@playwright/test'
import { type Site, startSite } from './site.ts'
import type { site as functions } from './site-page.ts'

// FAULTS 4.2: what becomes of a page while its worker is replaced, is broken, or is not there.

declare const site: typeof functions

const test = base.extend<{ origin: Site }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  origin: async ({}, use) => {
    const origin = await startSite()
    await use(origin)
    await origin.stop()
  },
})
test.describe.configure({ timeout: 120_000 })

/** A page that its worker controls. */
async function visit(page: Page, origin: Site, options: object = {}): Promise<void> {
  await page.goto(origin.url)
  await page.evaluate((given) => site.register({ claim: true, ...given }), options)
}

/** Puts another version of the worker there, and lets the browser look. */
async function publish(page: Page, origin: Site, text: string): Promise<void> {
  origin.worker = text
  await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update().catch(() => {})))
}

const told = (page: Page) => page.evaluate(() => site.told())
const plain = (page: Page, path: string) => page.evaluate((asked) => site.plain(asked), path)

test('an update is told, waits for the page’s word, and then takes over', async ({ page, origin }) => {
  await visit(page, origin)
  await publish(page, origin, '// 2')
  await expect.poll(() => told(page)).toEqual(['activated', 'update-found', 'waiting'])
  await page.evaluate(() => site.skipWaiting())
  await expect.poll(() => told(page)).toEqual(['activated', 'update-found', 'waiting', 'activated'])
})

test('a body that never ends does not hold an update up beyond the deadline (F-14)', async ({ page, origin }) => {
  await visit(page, origin, { deadlineMs: 2_000 })
  // its head is there, its end never comes, and the worker collects it
  await page.evaluate(() => void fetch('/slow'))
  await expect.poll(() => origin.requests('/slow').length).toBe(1)
  await publish(page, origin, '// 2')
  await expect.poll(() => told(page)).toContain('waiting')
  const started = Date.now()
  await page.evaluate(() => site.skipWaiting())
  // Without the deadline it is some forty seconds.
  expect(Date.now() - started).toBeLessThan(20_000)
})

test('a request under way while the worker is replaced is answered, whole, and asked for once (F-15)', async ({
  page,
  origin,
}) => {
  await visit(page, origin)
  const slow = page.evaluate(() => site.plain('/slow?ms=3000').then(({ text }) => text, String))
  await expect.poll(() => origin.requests('/slow?ms=3000').length).toBe(1)
  await publish(page, origin, '// 2')
  await page.evaluate(() => site.skipWaiting())
  // Firefox ends a worker that is replaced with what a page still reads of it: then that is an error, never half of a body.
  expect(await slow).toMatch(/^(?:begun ended|\w*Error: .*)$/)
  // what the old one has stored, the new one has
  expect((await plain(page, '/slow?ms=3000')).text).toBe('begun ended')
  expect(origin.requests('/slow?ms=3000').length).toBe((await slow).startsWith('begun') ? 1 : 2)
})

test('a version that cannot be installed changes nothing, and a worker that is removed leaves a page that works (F-21)', async ({
  page,
  origin,
}) => {
  await visit(page, origin)
  await publish(page, origin, "throw new Error('broken')")
  expect((await plain(page, '/api/a')).status).toBe(200)
  await publish(page, origin, "addEventListener('install', (event) => event.waitUntil(Promise.reject()))")
  await expect.poll(() => told(page)).toContain('failed')
  expect((await plain(page, '/api/a')).cacheStatus).toContain('hit')
  await page.evaluate(() => site.unregister())
  await page.reload()
  expect(await page.evaluate(() => site.isControlled())).toBe(false)
  expect((await page.evaluate(() => site.cached('/api/b'))).status).toBe(200)
})

test('the page has the same answers before the worker controls it, while it takes over, and after (F-20)', async ({
  page,
  origin,
}) => {
  await page.goto(origin.url)
  const read = (path: string) => page.evaluate((asked) => site.cached(asked), path)
  const first = await read('/api/a')
  const [second] = await Promise.all([read('/api/b'), page.evaluate(() => site.register({ claim: true }))])
  expect((await read('/api/a')).text).toBe(first.text)
  expect((await read('/api/b')).text).toBe(second.text)
  expect([origin.requests('/api/a').length, origin.requests('/api/b').length]).toEqual([1, 1])
})

test('a refresh that a page has begun goes on when the page is left', async ({ page, origin }) => {
  const path = '/api/left?cc=max-age%3D0,%20stale-while-revalidate%3D600'
  await visit(page, origin)
  await page.evaluate((asked) => site.cached(asked), path)
  expect(origin.requests(path)).toHaveLength(1)
  // leaves in the same task in which the refresh has left: it dies with the page
  await page.evaluate(async (asked) => {
    void site.cached(asked)
    await new Promise((later) => setTimeout(later, 0))
    location.assign('/page/2')
  }, path)
  await page.waitForURL('**/page/2')
  await expect.poll(() => origin.requests(path).length).toBeGreaterThan(1)
})
