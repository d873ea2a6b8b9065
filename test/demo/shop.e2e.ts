import { type APIRequestContext, expect, type Locator, type Page, test } from '@playwright/test'
import type { Mood, Received } from '../../demo/origin/origin.ts'

// Drives the demo as a visitor would, and looks at two things: what the panel says, and what the origin received. Nobody waits for
// a lifetime to end: the panel's "Skip" puts the clocks of page and origin forward.

/** What is the same code in every engine is played in one. */
const ONCE = { tag: '@once' }

test.use({ locale: 'en-GB', viewport: { width: 1440, height: 900 } })

test.beforeEach(async ({ page, request }) => {
  // Nothing grows old while a slow machine works: time passes when "Skip" says so.
  await page.clock.setFixedTime(new Date())
  // No draw by which what is fresh would be refreshed early (XFetch).
  await page.addInitScript(() => {
    Math.random = () => 0
  })
  await request.post('/control/reset', { data: {} })
})

/** The latest row of a request; its path as the page asked for it. */
const row = (page: Page, path: string): Locator => page.locator(`[data-path="${path}"]`).first()

/** The visitor does something, and the answer to the request that follows has this cause. */
async function expectCause(page: Page, path: string, cause: string): Promise<void> {
  await expect(row(page, path)).toHaveAttribute('data-cause', cause)
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** Presses a button that tells the origin something, and waits until the origin has heard it. */
async function tell(page: Page, name: string): Promise<void> {
  await Promise.all([page.waitForResponse((response) => response.url().includes('/control/')), press(page, name)])
}

async function make(page: Page, mood: Mood): Promise<void> {
  const name = { well: 'Well', slow: 'Slow', ill: 'Ill', dead: 'Dead' }[mood]
  await page.getByRole('radio', { name }).click()
  await expect(page.getByRole('radio', { name })).toBeChecked()
}

/** Loads the page again by the panel's button, which first waits until everything is written. */
async function reload(page: Page): Promise<void> {
  await Promise.all([page.waitForEvent('load'), press(page, 'Reload page')])
}

/** The service worker controls the page: from here on the page needs no network. */
const workerReady = (page: Page) =>
  page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')

/** What the origin received below `path`, in order. */
async function received(request: APIRequestContext, path: string): Promise<Received[]> {
  const all = (await (await request.get('/control/received')).json()) as Received[]
  return all.filter((one) => one.path === path || one.path.startsWith(`${path}?`))
}

/** Opens the front page and waits until everything on it is there, pictures included, and stored. */
async function visit(page: Page, path = '/'): Promise<void> {
  await page.goto(path)
  await expect(page.locator('.panel .row').first()).toBeAttached()
  if (/^\/(?:\?|$)/.test(path)) await expect(page.locator('.grid img')).toHaveCount(12)
}

test('the first visit asks the origin, the next is answered from the store while it is fresh (RFC 9111 §4.2)', async ({
  page,
  request,
}) => {
  await visit(page)
  await expectCause(page, '/api/products', 'miss')
  await press(page, 'Read again')
  await expectCause(page, '/api/products', 'fresh')
  await expectCause(page, '/api/greeting', 'fresh')
  await expectCause(page, '/api/workshop', 'fresh')
  expect(await received(request, '/api/products')).toMatchObject([{ method: 'GET', status: 200 }])
  expect(await received(request, '/api/workshop')).toHaveLength(1)
})

test(
  'after its lifetime the list is shown at once and refreshed behind (RFC 5861 §3)',
  ONCE,
  async ({ page, request }) => {
    await visit(page)
    await tell(page, 'Skip 15 s')
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'stale-while-revalidate')
    await expect(row(page, '/api/products')).toHaveAttribute('data-behind', 'unchanged')
    const [first, second] = await received(request, '/api/products')
    expect(first?.ifNoneMatch).toBeUndefined()
    expect(second).toMatchObject({ ifNoneMatch: expect.stringMatching(/^".+"$/), status: 304 })
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'fresh')
  },
)

test(
  'a price that changed at the origin comes into the shop by the refresh behind, without a reload',
  ONCE,
  async ({ page }) => {
    await visit(page)
    const cup = page.getByTestId('piece').first()
    await expect(cup).toContainText('€28.00')
    await tell(page, 'Change prices')
    await tell(page, 'Skip 15 s')
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'stale-while-revalidate')
    await expect(row(page, '/api/products')).toHaveAttribute('data-behind', 'new')
    await expect(cup).toContainText('€29.00')
  },
)

test(
  'what must be confirmed is confirmed by its ETag, and is not downloaded again (RFC 9111 §4.3)',
  ONCE,
  async ({ page, request }) => {
    await visit(page)
    await press(page, 'Read again')
    await expectCause(page, '/api/basket', 'validated')
    await tell(page, 'Skip 15 s')
    await press(page, 'Read again')
    await expectCause(page, '/api/offer', 'validated')
    expect((await received(request, '/api/offer')).map(({ status }) => status)).toEqual([200, 304])
    expect((await received(request, '/api/basket')).map(({ status }) => status)).toEqual([200, 304, 304])
  },
)

test('pictures with a hash in their names are asked for once, also across reloads (RFC 8246)', async ({
  page,
  request,
}) => {
  await visit(page)
  await expectCause(page, '/api/pictures', 'miss')
  await reload(page)
  await expect(page.locator('.grid img')).toHaveCount(12)
  await expectCause(page, '/api/pictures', 'fresh')
  const all = (await (await request.get('/control/received')).json()) as Received[]
  const paths = all.map(({ path }) => path).filter((path) => path.startsWith('/api/pictures/'))
  expect(paths).toHaveLength(12)
  expect(new Set(paths).size).toBe(12)
})

test(
  'while the origin answers 503, what may be shown on error is shown, and nothing else (RFC 5861 §4)',
  ONCE,
  async ({ page, request }) => {
    await visit(page, '/?softMs=60000')
    await make(page, 'ill')
    await tell(page, 'Skip 5 min')
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'stale-if-error')
    await expectCause(page, '/api/greeting', 'stale-if-error')
    await expect(page.getByTestId('piece')).toHaveCount(12)
    // must-revalidate: an offer that cannot be confirmed is not made (RFC 9111 §5.2.2.2)
    await expect(page.getByTestId('offer')).toContainText('cannot be confirmed')
    await expect(page.getByText('You see what we last knew')).toBeVisible()

    // When its time has come, a probe finds out that the origin is well again, behind what is shown meanwhile.
    await make(page, 'well')
    await tell(page, 'Skip 15 s')
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'stale-if-error')
    await expectCause(page, '/api/offer', 'validated')
    await expect.poll(async () => (await received(request, '/api/products')).at(-1)?.status).toBe(304)
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'fresh')
    await expect(page.getByTestId('offer')).toContainText('Offer of the day')
    await expect(page.getByText('You see what we last knew')).toBeHidden()
  },
)

test('when nothing answers the shop goes on, and a reload still has the page, its data and its pictures (RFC 9111 §4.2.4)', async ({
  page,
  request,
}) => {
  await visit(page, '/?softMs=60000')
  await expect(page.getByTestId('page-context')).toHaveAttribute('data-context', 'network')
  await workerReady(page)
  await make(page, 'dead')
  await tell(page, 'Skip 5 min')
  await press(page, 'Read again')
  await expectCause(page, '/api/products', 'stale-if-error')

  await reload(page)
  await expect(page.getByRole('radio', { name: 'Dead' })).toBeChecked()
  await expectCause(page, '/api/products', 'stale-if-error')
  await expectCause(page, '/api/greeting', 'stale-if-error')
  await expectCause(page, '/api/pictures', 'fresh')
  await expect(page.locator('.grid img')).toHaveCount(12)
  await expect(page.getByTestId('piece').first()).toContainText('Morning cup')
  await expectCause(page, '/api/basket', 'rejected')
  const asked = await received(request, '/api/products')
  expect(asked.filter(({ status }) => status === 0).length).toBeGreaterThanOrEqual(2)
  await expect(page.getByTestId('effect')).toContainText('Nothing answers')
  await expect(page.getByTestId('page-context')).toHaveAttribute('data-context', 'worker')
})

test(
  'a slow origin is not waited for longer than the soft deadline; its answer is used later',
  ONCE,
  async ({ page }) => {
    await visit(page)
    await make(page, 'slow')
    await tell(page, 'Skip 5 min')
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'soft-deadline')
    await expect(row(page, '/api/products')).toHaveAttribute('data-behind', 'unchanged')
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'fresh')
  },
)

test('each language is a version of its own under one address (RFC 9111 §4.1)', async ({ page, request }) => {
  await visit(page)
  const cup = page.getByTestId('piece').first()
  await expect(cup).toContainText('Morning cup')
  await page.getByRole('button', { name: 'Deutsch' }).click()
  await expectCause(page, '/api/products', 'vary-miss')
  await expect(cup).toContainText('Morgentasse')
  await expect(page.locator('html')).toHaveAttribute('lang', 'de')
  await page.getByRole('button', { name: 'English' }).click()
  await expectCause(page, '/api/products', 'fresh')
  await expect(cup).toContainText('Morning cup')
  await page.getByRole('button', { name: 'Deutsch' }).click()
  await expect(cup).toContainText('Morgentasse')
  await expectCause(page, '/api/products', 'fresh')
  expect((await received(request, '/api/products')).map(({ acceptLanguage }) => acceptLanguage)).toEqual(['en', 'de'])
})

test(
  'a write makes the basket and its group untrue: the next read has it (RFC 9111 §4.4, RFC 9875 §3)',
  ONCE,
  async ({ page }) => {
    await visit(page)
    await expect(page.getByTestId('basket-count')).toHaveText('0')
    await page.getByRole('link', { name: /^Teapot/ }).click()
    await page.getByRole('button', { name: 'Put into the basket' }).click()
    await expect(page.getByText('In the basket.')).toBeVisible()
    await expectCause(page, '/api/basket/lines', 'method')
    await expect(page.locator('[data-purge="invalidate"]').first()).toContainText('/basket')
    await expectCause(page, '/api/basket', 'invalidated')
    await expect(page.getByTestId('basket-count')).toHaveText('1')

    await page.getByRole('link', { name: 'Lehmhaus' }).click()
    await expectCause(page, '/api/greeting', 'invalidated')
    await expect(page.getByTestId('greeting')).toHaveText('Mara, one piece waits in your basket.')

    await page.getByRole('link', { name: /^Basket/ }).click()
    await page.getByRole('button', { name: 'Order' }).click()
    await expect(page.getByTestId('said')).toContainText('LH-0001')
    await expect(page.getByTestId('basket-count')).toHaveText('0')
  },
)

test('the basket changes on the page before the origin has answered, and changes back when it does not', async ({
  page,
}) => {
  await visit(page, '/piece/teapot')
  await expectCause(page, '/api/basket', 'miss')
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  await page.route('**/api/basket/lines', async (route) => {
    await held
    await route.continue()
  })
  await expect(page.getByTestId('basket-count')).toHaveText('0')
  await page.getByRole('button', { name: 'Put into the basket' }).click()
  await expect(page.getByTestId('basket-count')).toHaveText('1')
  await make(page, 'dead')
  letGo()
  await expect(page.getByText('The basket could not be changed')).toBeVisible()
  await expect(page.getByTestId('basket-count')).toHaveText('0')
  await expectCause(page, '/api/basket/lines', 'rejected')
})

test('what is marked no-store is asked for each time (RFC 9111 §5.2.2.5)', ONCE, async ({ page, request }) => {
  await visit(page, '/piece/teapot')
  await expect(page.getByTestId('stock')).toHaveText('5 on the shelf')
  await press(page, 'Read again')
  await expect(page.locator('[data-path="/api/stock/teapot"]')).toHaveCount(2)
  await expect(row(page, '/api/stock/teapot')).toContainText('not stored')
  expect(await received(request, '/api/stock/teapot')).toMatchObject([{ status: 200 }, { status: 200 }])
})

test(
  'that a piece does not exist is remembered for its short lifetime (RFC 9110 §15.5.5)',
  ONCE,
  async ({ page, request }) => {
    await visit(page)
    await page.getByRole('link', { name: 'The moon jar' }).click()
    await expect(page.getByTestId('not-found')).toContainText('We do not make this piece any more.')
    await press(page, 'Read again')
    await expect(page.locator('[data-path="/api/products/moon-jar"]')).toHaveCount(2)
    await expectCause(page, '/api/products/moon-jar', 'fresh')
    await tell(page, 'Skip 15 s')
    await press(page, 'Read again')
    await expectCause(page, '/api/products/moon-jar', 'expired')
    expect((await received(request, '/api/products/moon-jar')).map(({ status }) => status)).toEqual([404, 404])
  },
)

test('parameters that mean nothing do not make another answer (No-Vary-Search)', ONCE, async ({ page, request }) => {
  await visit(page)
  await page.getByRole('link', { name: 'Coffee' }).click()
  await expect(page.getByTestId('found')).toHaveText('2 pieces for “Coffee”')
  await page.getByRole('searchbox').fill('Coffee')
  await page.getByRole('searchbox').press('Enter')
  await expectCause(page, '/api/search?q=Coffee&from=box', 'fresh')
  await expect(page.getByTestId('found')).toHaveText('2 pieces for “Coffee”')
  expect(await received(request, '/api/search')).toHaveLength(1)
})

test(
  'a soft purge shows the old list while it is refreshed, a hard one never shows it again',
  ONCE,
  async ({ page, request }) => {
    await visit(page)
    await press(page, 'Purge products, soft')
    await expectCause(page, '/api/products', 'stale-while-revalidate')
    await expect(row(page, '/api/products')).toHaveAttribute('data-behind', 'unchanged')
    await press(page, 'Purge products, hard')
    await expectCause(page, '/api/products', 'purged')
    expect((await received(request, '/api/products')).map(({ status }) => status)).toEqual([200, 304, 200])
  },
)

test('of two tabs side by side each tells whether it has asked the origin, or the other one', async ({
  page,
  context,
  request,
}) => {
  await visit(page)
  await expect(row(page, '/api/products')).toHaveAttribute('data-asked-by', 'here')
  const other = await context.newPage()
  await visit(other)
  await expectCause(other, '/api/products', 'fresh')
  await expect(row(other, '/api/products')).toHaveAttribute('data-asked-by', 'elsewhere')
  await expect(row(other, '/api/products')).toContainText('asked by another page')
  await other.getByRole('link', { name: /^Teapot/ }).click()
  await expect(row(other, '/api/products/teapot')).toHaveAttribute('data-asked-by', 'here')
  await page.bringToFront()
  await page.getByRole('link', { name: /^Teapot/ }).click()
  await expectCause(page, '/api/products/teapot', 'fresh')
  await expect(row(page, '/api/products/teapot')).toHaveAttribute('data-asked-by', 'elsewhere')
  expect(await received(request, '/api/products/teapot')).toHaveLength(1)
  expect(await received(request, '/api/products')).toHaveLength(1)
})

test('a refresh that outlives its page is the worker’s, and the next page says so', async ({ page, request }) => {
  await visit(page)
  await workerReady(page)
  await make(page, 'slow')
  await tell(page, 'Skip 15 s')
  await press(page, 'Read again')
  await expect(row(page, '/api/products')).toHaveAttribute('data-behind', 'waiting')
  await page.reload()
  await expect(row(page, '/api/products')).toHaveAttribute('data-asked-by', 'worker')
  await expect(row(page, '/api/products')).toContainText('asked by the worker')
  expect((await received(request, '/api/products')).some(({ status }) => status === 304)).toBe(true)
})

test(
  'after forgetting everything and losing the origin there is nothing to show, and the shop says so',
  ONCE,
  async ({ page }) => {
    await visit(page)
    await workerReady(page)
    await make(page, 'dead')
    await press(page, 'Forget everything')
    await page.reload()
    await expect(page.getByText('This cannot be shown at the moment.')).toBeVisible()
    await expectCause(page, '/api/products', 'rejected')
    await make(page, 'well')
    await page.getByRole('button', { name: 'Try again' }).last().click()
    await expect(page.getByTestId('piece')).toHaveCount(12)
  },
)

test('a click on a row tells why, in words and numbers', ONCE, async ({ page }) => {
  await visit(page)
  await press(page, 'Read again')
  await expectCause(page, '/api/products', 'fresh')
  await row(page, '/api/products').click()
  const explained = page.getByTestId('explained')
  await expect(explained).toContainText('younger than its lifetime, so nobody was asked')
  await expect(explained).toContainText('10 s, from Cache-Control: max-age')
  await expect(explained).toContainText('for 60 s after its lifetime')
  await expect(explained).toContainText('products')
  await tell(page, 'Skip 15 s')
  await expect(explained).toContainText('It would come from the store at once, and be refreshed behind.')
})

test('the totals add up to the rows', ONCE, async ({ page }) => {
  await visit(page)
  await press(page, 'Read again')
  await expectCause(page, '/api/products', 'fresh')
  await expectCause(page, '/api/basket', 'validated')
  const counts = await page
    .locator('.requests > ol > li > .row')
    .evaluateAll((rows) =>
      rows.map((one) => ({ saved: one.dataset.source === 'store', count: Number(one.dataset.count ?? 1) })),
    )
  const requests = counts.reduce((sum, { count }) => sum + count, 0)
  const numbers = await page.getByTestId('totals').locator('dd').allTextContents()
  expect(numbers[0]).toBe(String(requests))
  expect(Number(numbers[1])).toBeGreaterThanOrEqual(counts.filter(({ saved }) => saved).length)
  expect(numbers[2]).toMatch(/^[1-9].* k?B$/)
})

test('a visit makes no request to another host, and leaves no error in the console', async ({ page, baseURL }) => {
  const outside: string[] = []
  const errors: string[] = []
  page.on('request', (one) => {
    if (!one.url().startsWith(`${baseURL}/`) && !one.url().startsWith('blob:') && !one.url().startsWith('data:')) {
      outside.push(one.url())
    }
  })
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('pageerror', (error) => errors.push(error.message))
  await visit(page)
  await page.getByRole('link', { name: /^Teapot/ }).click()
  await expect(page.getByTestId('price')).toHaveText('€96.00')
  await page.reload()
  await expect(page.getByTestId('price')).toHaveText('€96.00')
  expect(outside).toEqual([])
  expect(errors).toEqual([])
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 375, height: 812 } })

  test('the panel is a sheet that the keyboard opens and closes, and nothing is wider than the screen', async ({
    page,
  }) => {
    await visit(page)
    const handle = page.getByRole('button', { name: /^nearcache/ })
    await expect(handle).toHaveAttribute('aria-expanded', 'false')
    await expect(page.getByRole('button', { name: 'Read again' })).toBeHidden()
    await handle.focus()
    await page.keyboard.press('Enter')
    await expect(handle).toHaveAttribute('aria-expanded', 'true')
    await press(page, 'Read again')
    await expectCause(page, '/api/products', 'fresh')
    await page.keyboard.press('Escape')
    await expect(handle).toHaveAttribute('aria-expanded', 'false')
    await expect(handle).toBeFocused()
    for (const path of ['/', '/piece/teapot', '/search?q=cup', '/basket']) {
      await visit(page, path)
      const hidden = () => document.documentElement.scrollWidth - document.documentElement.clientWidth
      expect(await page.evaluate(hidden)).toBe(0)
    }
  })
})
