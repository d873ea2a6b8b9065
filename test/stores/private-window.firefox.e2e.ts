import { expect, firefox, test } from '@playwright/test'
import { firefoxLaunch } from '../support/browsers.ts'
import { startOrigin } from './fire-origin.ts'

// FAULTS F-13, STANDARDS SQ-4: a private window keeps what is stored for as long as it is open; in older releases IndexedDB is there, and every open fails.

test.describe.configure({ timeout: 120_000 })

for (const [name, hasStorage] of [
  ['with storage of its own', true],
  ['without storage, as in older releases', false],
] as const) {
  test(`a private window ${name} has the same answers, and nothing is uncaught (F-13)`, async () => {
    const browser = await firefox.launch({
      ...firefoxLaunch,
      firefoxUserPrefs: {
        ...firefoxLaunch.firefoxUserPrefs,
        'browser.privatebrowsing.autostart': true,
        'dom.indexedDB.privateBrowsing.enabled': hasStorage,
      },
    })
    const origin = await startOrigin()
    try {
      const page = await browser.newPage()
      await page.goto(origin.url)
      // The disk alone is waited for, however slow the machine is.
      await page.evaluate(() => fire.open({ deadlines: { diskMs: 60_000 } }))
      const read = () => page.evaluate(() => fire.read('/a'))
      expect(await read()).toMatchObject({ seq: 1, isWhole: true, cause: 'miss' })
      expect(await read()).toMatchObject({ seq: 1, isWhole: true, cause: 'fresh' })
      expect(await page.evaluate(() => fire.purge('/a'))).toMatchObject({ durable: hasStorage })
      expect(await read()).toMatchObject({ seq: 2, isWhole: true })
      await page.evaluate(() => fire.settled())
      const { failures, errors } = await page.evaluate(() => fire.told())
      expect(new Set(failures)).toEqual(
        new Set(hasStorage ? [] : ['read: InvalidStateError', 'update: InvalidStateError', 'purge: InvalidStateError']),
      )
      expect(errors).toEqual([])

      await page.reload()
      await page.evaluate(() => fire.open({ deadlines: { diskMs: 60_000 } }))
      expect(await read()).toMatchObject({ seq: hasStorage ? 2 : 3, isWhole: true })
    } finally {
      await browser.close()
      await origin.close()
    }
  })
}
