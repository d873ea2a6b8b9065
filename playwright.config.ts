import { defineConfig, type Project } from '@playwright/test'
import { chromiumLaunch, firefoxLaunch, paths } from './test/support/browsers.ts'

const port = Number(process.env.E2E_PORT ?? 4799)

/** What takes long is for `npm run long`, and for CI: tests tagged `@long`, and the demo in a second engine. */
const isLong = process.env.E2E_LONG !== undefined
const tagged = isLong ? { grep: /@long/ } : { grepInvert: /@long/ }

const chromium: Project = {
  name: 'chromium',
  testIgnore: '**/*.firefox.e2e.ts',
  ...tagged,
  use: { browserName: 'chromium', launchOptions: chromiumLaunch },
}
const firefox: Project = {
  name: 'firefox',
  testIgnore: ['**/*.chromium.e2e.ts', 'test/demo/**'],
  ...tagged,
  use: { browserName: 'firefox', launchOptions: firefoxLaunch },
}
const demoInFirefox: Project = {
  name: 'demo in firefox',
  testMatch: 'test/demo/*.e2e.ts',
  testIgnore: '**/*.chromium.e2e.ts',
  grepInvert: /@once/,
  use: firefox.use ?? {},
}

/** End-to-end tests: a real browser drives the demo, as `npm run demo` starts it, or pages of a test's own. `*.<browser>.e2e.ts` is for that browser alone, and what is tagged `@once` is for Chromium. */
export default defineConfig({
  testDir: 'test',
  testMatch: '**/*.e2e.ts',
  // a folder for each run, since two may be under way
  outputDir: `.reports/playwright-${port}`,
  workers: 1,
  // Two engines run side by side on a machine that may have two cores: what comes late has come.
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  reporter: [['list'], ['json', { outputFile: process.env.E2E_REPORT ?? '.reports/playwright.json' }]],
  use: {
    baseURL: `http://localhost:${port}`,
    screenshot: 'only-on-failure',
    // a processor that draws every step of a motion is missed elsewhere
    contextOptions: { reducedMotion: 'reduce' },
  },
  webServer: {
    command: 'npm run --silent demo',
    env: { PORT: String(port) },
    url: `http://localhost:${port}/`,
    timeout: 120_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 5_000 },
  },
  projects: [
    ...(paths.chromium ? [chromium] : []),
    ...(paths.firefox ? [firefox] : []),
    ...(paths.firefox && isLong ? [demoInFirefox] : []),
  ],
})
