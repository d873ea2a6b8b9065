import { fileURLToPath } from 'node:url'
import { type BrowserType, chromium, firefox, type LaunchOptions } from 'playwright'
import { bundle, ensureBuilt } from '../size/bundle.ts'
import { chromiumLaunch, firefoxLaunch, paths } from '../support/browsers.ts'
import { openMiniBrowser, safariFeatures } from '../support/mini-browser.ts'
import type { Browser } from './deviations.ts'
import { startOrigin } from './origin.ts'
import type { Results, Suite } from './suite.ts'

/** Opens a page, and gives what closes the browser. */
type Open = (url: string) => Promise<{ close(): Promise<unknown> }>

const driven =
  (type: BrowserType, options: LaunchOptions): Open =>
  async (url) => {
    const browser = await type.launch(options)
    await (await browser.newPage()).goto(url)
    return browser
  }

const open: Readonly<Record<Browser, Open>> = {
  Chromium: driven(chromium, chromiumLaunch),
  Firefox: driven(firefox, firefoxLaunch),
  WebKit: (url) => openMiniBrowser({ executablePath: paths.webkit ?? 'MiniBrowser', features: safariFeatures }, url),
}

/** Those that are on this machine. */
export const browsers: readonly Browser[] = (['Chromium', 'Firefox', 'WebKit'] as const).filter(
  (name) => paths[name.toLowerCase() as Lowercase<Browser>],
)

/** A page that never comes to its end, in milliseconds. */
const GIVE_UP_MS = 240_000

/** Runs the suite, or some of its tests, in a page of a real browser, against the production build. The page needs no driver: it reports by itself. */
export async function runInBrowser(name: Browser, suite: Suite, only?: readonly string[]): Promise<Results> {
  ensureBuilt()
  const path = fileURLToPath(new URL('./page.ts', import.meta.url))
  const { code } = await bundle({ path }, { format: 'iife', globalName: 'conformance' })
  const origin = await startOrigin(suite)
  try {
    await origin.give(
      `${code}\nconformance.report(${[suite.modules, only].map((value) => JSON.stringify(value)).join(', ')})`,
    )
    const page = await open[name](`${origin.base}/run`)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${name} has reported nothing in ${GIVE_UP_MS} ms`)), GIVE_UP_MS)
    })
    try {
      const { results, error } = JSON.parse(await Promise.race([origin.report, late]))
      if (!results) throw new Error(`The suite failed in ${name}: ${error}`)
      return results
    } finally {
      clearTimeout(timer)
      await page.close()
    }
  } finally {
    await origin.stop()
  }
}
