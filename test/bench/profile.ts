import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright'
import { chromiumLaunch } from '../support/browsers.ts'

/** Does `work` in a Chromium with a profile on disk, as its users have one: what a context of `newContext()` stores lies in memory, as in a private window. */
export async function inProfile<T>(work: (context: BrowserContext) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'nearcache-bench-'))
  try {
    const context = await chromium.launchPersistentContext(folder, chromiumLaunch)
    try {
      return await work(context)
    } finally {
      await context.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}
