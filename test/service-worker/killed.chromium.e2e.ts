import { test as base, expect, type Page } from '@playwright/test'
import { type Site, startSite } from './site.ts'
import type { site as functions } from './site-page.ts'

// FAULTS F-16 and F-17: what only DevTools can bring about, a worker that is stopped in the middle of its work. That it was is seen by a mark in its globals, which is gone.

declare const site: typeof functions

const test = base.extend<{ origin: Site }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  origin: async ({}, use) => {
    const origin = await startSite()
    origin.worker = `
      const mark = Math.random()
      addEventListener('fetch', (event) => {
        if (event.request.url.endsWith('/mark')) event.respondWith(new Response(String(mark)))
      })`
    await use(origin)
    await origin.stop()
  },
})
test.describe.configure({ timeout: 120_000 })

async function visit(page: Page, origin: Site): Promise<void> {
  await page.goto(origin.url)
  await page.evaluate(() => site.register({ claim: true }))
}

/** Stops the worker, and proves it. */
async function kill(page: Page, url: string): Promise<void> {
  const mark = async () => (await page.evaluate((asked) => site.plain(asked), `${url}/mark`)).text
  const before = await mark()
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('ServiceWorker.enable')
  await devtools.send('ServiceWorker.stopAllWorkers')
  await expect.poll(mark).not.toBe(before)
}

test('a worker that is stopped while it refreshes refreshes again with the next request (F-16)', async ({
  page,
  origin,
}) => {
  const path = '/api/a?cc=max-age%3D0,%20stale-while-revalidate%3D600'
  await visit(page, origin)
  const read = () => page.evaluate((asked) => site.plain(asked), path)
  await read()
  await expect.poll(async () => (await read()).cacheStatus).toContain('stale-while-revalidate')
  await kill(page, origin.url)
  const before = origin.requests(path).length
  expect((await read()).cacheStatus).toContain('stale-while-revalidate')
  await expect.poll(() => origin.requests(path).length).toBeGreaterThan(before)
})

test('a body whose worker is stopped half-way is an error and is not stored; the next request has it whole (F-17)', async ({
  page,
  origin,
}) => {
  const path = '/slow?ms=4000'
  await visit(page, origin)
  const cut = page.evaluate((asked) => site.plain(asked).then(({ text }) => text, String), path)
  await expect.poll(() => origin.requests(path).length).toBe(1)
  await kill(page, origin.url)
  expect(await cut).not.toBe('begun ')
  expect((await page.evaluate((asked) => site.plain(asked), path)).text).toBe('begun ended')
})
