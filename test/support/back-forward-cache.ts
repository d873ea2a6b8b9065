import { test as base, type LaunchOptions } from '@playwright/test'
import { chromiumLaunch, firefoxLaunch } from './browsers.ts'

/** Tests in a browser that keeps the pages that were left: Playwright switches Chromium's back/forward cache off, and Firefox's holds fewer the less memory there is. */
export const test = base.extend<object, { launchOptions: LaunchOptions }>({
  launchOptions: [
    async ({ browserName }, use) => {
      const firefoxUserPrefs = { ...firefoxLaunch.firefoxUserPrefs, 'browser.sessionhistory.max_total_viewers': 8 }
      await use(
        browserName === 'chromium'
          ? { ...chromiumLaunch, ignoreDefaultArgs: ['--disable-back-forward-cache'] }
          : { ...firefoxLaunch, firefoxUserPrefs },
      )
    },
    { scope: 'worker' },
  ],
})
