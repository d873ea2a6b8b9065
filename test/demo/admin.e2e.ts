import { expect, type Locator, type Page, test } from '@playwright/test'

// The workshop changes a price; the shop in another tab shows it without being touched, and its panel shows the purge arrive.

test.use({ locale: 'en-GB', viewport: { width: 1440, height: 900 } })

test.beforeEach(async ({ request }) => {
  await request.post('/control/reset', { data: {} })
})

const priceOf = (page: Page): Locator => page.getByTestId('price')

/** Opens a piece and waits until the page follows the feed. */
async function open(page: Page, path: string): Promise<void> {
  const following = page.waitForResponse((response) => response.url().includes('/purges'))
  await page.goto(path)
  await following
  await expect(priceOf(page)).not.toHaveText('\u00a0')
}

async function change(admin: Page, name: string, price: string): Promise<void> {
  await admin.getByRole('textbox', { name }).fill(price)
  await admin.getByRole('button', { name: `Save ${name}` }).click()
}

test('a price that the workshop changes is shown by an open shop at once, and the panel shows the purge', async ({
  page,
  browser,
}) => {
  await open(page, '/piece/morning-cup')
  const before = await priceOf(page).textContent()
  const other = await browser.newContext()
  const admin = await other.newPage()
  await admin.goto('/admin')
  await change(admin, 'Morning cup', '47.50')
  // Firefox may take it for hidden behind the new window, and a hidden page follows no feed.
  await page.bringToFront()
  await expect(priceOf(page)).toHaveText('€47.50')
  expect(before).not.toBe('€47.50')
  await expect(page.locator('[data-purge="soft"]').first()).toBeVisible()
  await expect(admin.getByRole('textbox', { name: 'Morning cup' })).toHaveValue('47.50')
  await other.close()
})

test('a page that was closed meanwhile shows it when it comes back, without waiting for a lifetime to end', async ({
  page,
  request,
}) => {
  await open(page, '/piece/morning-cup')
  // It waits until everything is written: what comes right behind it would be interrupted.
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Reload page', exact: true }).click()])
  await expect(priceOf(page)).not.toHaveText('\u00a0')
  await page.goto('about:blank')
  await request.post('/control/price', { data: { slug: 'morning-cup', price: 5150 } })
  await open(page, '/piece/morning-cup')
  await expect(priceOf(page)).toHaveText('€51.50')
})

test('what is no price is refused', async ({ request }) => {
  for (const data of [{}, { slug: 'morning-cup' }, { slug: 'morning-cup', price: -1 }, { slug: 'none', price: 100 }])
    expect((await request.post('/control/price', { data })).status()).toBe(422)
})
