import { expect, test } from '@playwright/test'
import { done, lane, waited } from './compare-page.ts'

// The tour of the side-by-side page takes half a minute of real time.

test.use({ locale: 'en-GB', viewport: { width: 1280, height: 900 } })

test('a day is played: when the API is dead, only nearcache has something to show', { tag: '@long' }, async ({
  page,
  request,
}) => {
  test.setTimeout(120_000)
  await request.post('/control/reset', { data: {} })
  await page.goto('/compare')
  await done(page)
  await page.getByRole('button', { name: 'Play a visitor’s day' }).click()
  await expect(page.getByRole('status')).toHaveText('The API is down, and the tab is opened again.', {
    timeout: 60_000,
  })
  await expect(page.getByRole('button', { name: 'Play a visitor’s day' })).toBeEnabled({ timeout: 30_000 })
  for (const id of ['fetch', 'tanstack']) await expect(waited(page, id)).toHaveText('in vain')
  for (const id of ['fetch', 'tanstack', 'nearcache'])
    await expect(page.locator(`[data-tally="${id}"] .waits li`)).toHaveCount(7)
  await expect(waited(page, 'nearcache')).toHaveText(/\d m?s$/)
  await expect(lane(page, 'nearcache').getByRole('heading', { name: '12 pieces' })).toBeVisible()
  await expect(lane(page, 'nearcache')).toContainText('€29.00')
})
