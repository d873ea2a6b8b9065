import { expect, test } from '@playwright/test'
import { startSite } from './site.ts'
import type { site as functions } from './site-page.ts'

declare const site: typeof functions

// Going back asks for `force-cache` (HTML, history navigation), where a browser does not bring the page back as it was: Firefox does, and asks nobody. Chromium does not while it is driven.

test('a page that was hard-purged is asked for anew by whoever goes back to it, though the browser has a copy (law 2)', async ({
  page,
}) => {
  const origin = await startSite()
  try {
    await page.goto(origin.url)
    await page.evaluate(() => site.register({ claim: true }))
    await page.goto(`${origin.url}/page/old`)
    await page.goto(`${origin.url}/page/next`)
    await page.evaluate(() => site.purge('/page/old'))
    await page.goBack()
    expect(await page.evaluate(() => site.shown())).toBe('/page/old')
    expect(origin.requests('/page/old')).toHaveLength(2)
  } finally {
    await origin.stop()
  }
})
