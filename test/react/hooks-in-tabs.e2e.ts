import { expect, type Page } from '@playwright/test'
import { test as base } from '../support/back-forward-cache.ts'
import { type ShopOrigin, startShop } from './tabs/origin.ts'
import type {} from './tabs/page.tsx'

// The hooks in a real browser's tabs, and in its back/forward cache (FAULTS F-49).

interface Setting {
  readonly origin: ShopOrigin
  open(): Promise<Page>
}
const test = base.extend<{ setting: Setting }>({
  setting: async ({ context }, use) => {
    const origin = await startShop()
    await use({
      origin,
      async open() {
        const page = await context.newPage()
        await page.goto(origin.url)
        return page
      },
    })
    await origin.close()
  },
})
test.describe.configure({ timeout: 60_000 })

const shown = (page: Page) => page.locator('p').textContent()
const rendered = (page: Page) => page.evaluate(() => shop.rendered)
const errors = (page: Page) => page.evaluate(() => shop.errors)

test('two tabs: what one reads, writes, purges or refreshes is shown by the other, for one request', async ({
  setting: { origin, open },
}) => {
  const one = await open()
  await expect.poll(() => shown(one)).toBe('9')
  await one.evaluate(() => shop.cache.settled())
  const other = await open()
  await expect.poll(() => shown(other)).toBe('9')
  expect(origin.asked).toEqual(['GET'])

  await one.evaluate(() => shop.cache.fetch('/stock', { method: 'POST' }))
  for (const page of [one, other]) await expect.poll(() => shown(page)).toBe('8')
  expect(origin.asked).toEqual(['GET', 'POST', 'GET'])

  origin.sell()
  await other.evaluate(() => shop.cache.purge({ url: '/stock' }))
  for (const page of [one, other]) await expect.poll(() => shown(page)).toBe('7')
  expect(origin.asked).toEqual(['GET', 'POST', 'GET', 'GET'])

  await one.evaluate(() => shop.refresh()) // a 304 renders nobody
  origin.sell()
  await one.evaluate(() => shop.refresh())
  for (const page of [one, other]) await expect.poll(() => shown(page)).toBe('6')
  expect(origin.asked).toEqual(['GET', 'POST', 'GET', 'GET', 'GET 304', 'GET'])
  for (const page of [one, other]) {
    expect((await rendered(page)).filter((left) => left !== undefined)).toEqual([9, 8, 7, 6])
    expect(await errors(page)).toEqual([])
  }
})

/** Goes back, out of the back/forward cache. Firefox's driver never hears of that, so nobody waits for it. */
const back = (page: Page) => {
  page.evaluate(() => history.back()).catch(() => {})
}

for (const mode of ['soft', 'hard'] as const) {
  test(`back from the back/forward cache: what was changed and purged meanwhile (${mode}) is read anew`, async ({
    setting: { origin, open },
  }) => {
    const [ours, other] = [await open(), await open()]
    for (const page of [ours, other]) await expect.poll(() => shown(page)).toBe('9')
    const before = origin.asked.length
    await ours.goto(`${origin.url}/away`)
    origin.sell()
    await other.evaluate((mode) => shop.cache.purge({ url: '/stock' }, { mode }), mode)
    await expect.poll(() => shown(other)).toBe('8')
    back(ours)
    await expect.poll(() => origin.restored.at(-1)).toBe('8')
    expect(origin.asked.slice(before)).toEqual(['GET'])
    if (mode === 'hard') expect(origin.restored).not.toContain('9')
  })
}

test('back from the back/forward cache: what another tab has stored meanwhile is shown without a request', async ({
  setting: { origin, open },
}) => {
  const [ours, other] = [await open(), await open()]
  for (const page of [ours, other]) await expect.poll(() => shown(page)).toBe('9')
  await ours.goto(`${origin.url}/away`)
  origin.sell()
  await other.evaluate(() => shop.refresh())
  await expect.poll(() => shown(other)).toBe('8')
  await other.evaluate(() => shop.cache.settled())
  const before = origin.asked.length
  back(ours)
  await expect.poll(() => origin.restored).toEqual(['8'])
  expect(origin.asked.slice(before)).toEqual([])
})
