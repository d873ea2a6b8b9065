import { expect, type Page, test } from '@playwright/test'
import type { Received } from '../../demo/origin/origin.ts'
import { done, lane, requests, waited } from './compare-page.ts'

// The side-by-side page: what each way of reading shows, and what the origin has counted for it.

test.use({ locale: 'en-GB', viewport: { width: 1280, height: 900 } })

/** When the page was opened. */
let opened = 0

test.beforeEach(async ({ page, request }) => {
  await request.post('/control/reset', { data: {} })
  opened = Date.now()
  await page.goto('/compare')
  await done(page)
})

const press = async (page: Page, name: string) => {
  await page.getByRole('button', { name, exact: true }).click()
  await done(page)
}

test('all three show the same, and nearcache asks nothing that the API says it need not ask', async ({ page }) => {
  for (const id of ['fetch', 'tanstack', 'nearcache']) {
    await expect(lane(page, id).getByRole('heading', { name: '12 pieces' })).toBeVisible()
    await expect(lane(page, id)).toContainText('Teapots: 5 left')
  }
  for (let time = 0; time < 3; time++) await press(page, 'Leave and come back')
  await press(page, 'Close the tab and open it again')
  await expect(lane(page, 'nearcache').getByRole('heading', { name: '12 pieces' })).toBeVisible()
  await expect(lane(page, 'nearcache')).toContainText('Teapots: 5 left')
  const asked = async (path: string, id: string) => {
    const all = (await (await page.request.get('/control/received')).json()) as Received[]
    return all.filter((one) => one.path === `${path}?lane=${id}`).length
  }
  // the shelf, which must not be stored, at each visit; the list once in its lifetime, however slow this machine is
  expect(await asked('/api/stock/teapot', 'nearcache')).toBe(5)
  const lists = await asked('/api/window', 'nearcache')
  expect(lists).toBeLessThanOrEqual(1 + Math.floor((Date.now() - opened) / 3_000))
  await expect.poll(() => requests(page, 'nearcache')).toBeGreaterThanOrEqual(5 + lists)
})

test('when the API is down and the tab was closed, nearcache still has the list, and says that the rest is unknown (RFC 5861 §4)', async ({
  page,
}) => {
  await page.request.post('/control/skip', { data: { ms: 120_000 } })
  await page.getByRole('radio', { name: 'dead' }).click()
  await expect(page.getByRole('radio', { name: 'dead' })).toBeChecked()
  await press(page, 'Close the tab and open it again')
  await expect(lane(page, 'nearcache').getByRole('heading', { name: '12 pieces' })).toBeVisible()
  await expect(waited(page, 'nearcache')).toHaveText(/\d m?s$/)
  await expect(lane(page, 'nearcache')).toContainText('Teapots: unknown')
})

test('it goes back to the shop, and fits on a phone', async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 812 })
  const hidden = () => document.documentElement.scrollWidth - document.documentElement.clientWidth
  expect(await page.evaluate(hidden)).toBe(0)
  await page.getByRole('link', { name: '← The shop' }).click()
  await expect(page.getByTestId('piece')).toHaveCount(12)
  await page.getByRole('link', { name: /^Side by side/ }).click()
  await done(page)
})
