import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright'
import { bundle, ensureBuilt } from '../size/bundle.ts'
import { chromiumLaunch } from '../support/browsers.ts'
import { startOrigin } from './origin.ts'
import type * as Page from './page.ts'
import type { Results, Suite } from './suite.ts'

/** Runs the suite in a page of a real Chromium, against the production build. */
export async function runInChromium(suite: Suite, through: 'nearcache' | 'fetch' = 'nearcache'): Promise<Results> {
  ensureBuilt()
  const path = fileURLToPath(new URL('./page.ts', import.meta.url))
  const { code } = await bundle({ path }, { format: 'iife', globalName: 'conformance' })
  const origin = await startOrigin(suite)
  const browser = await chromium.launch(chromiumLaunch)
  try {
    const page = await browser.newPage()
    await page.goto(origin.base)
    await page.addScriptTag({ content: code })
    return await page.evaluate(
      ([modules, fetcher]) => {
        const { conformance } = globalThis as unknown as { conformance: typeof Page }
        return conformance.runInPage(modules, fetcher)
      },
      [suite.modules, through] as const,
    )
  } finally {
    await browser.close()
    await origin.stop()
  }
}
