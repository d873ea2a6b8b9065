import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import type { BrowserProviderOption } from 'vitest/node'
import { chromiumLaunch, firefoxLaunch, paths } from './test/support/browsers.ts'
import { safariFeatures } from './test/support/mini-browser.ts'
import { webkitgtk } from './test/support/webkitgtk.ts'

/** A project whose tests run in a page of one real browser. */
function inRealBrowser(name: string, provider: BrowserProviderOption, browser = name): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: ['test/**/*.browser.test.{ts,tsx}'],
      globalSetup: ['test/support/origin.ts'],
      setupFiles: ['test/support/browser-clean.ts'],
      // What comes late has come: a machine may have two cores for three browsers.
      testTimeout: 30_000,
      expect: { poll: { timeout: 10_000 } },
      browser: {
        enabled: true,
        // a new checkout has its dependencies bundled first
        connectTimeout: 180_000,
        headless: true,
        screenshotFailures: false,
        api: { host: '127.0.0.1' },
        provider,
        // biome-ignore lint/suspicious/noExplicitAny: Vitest lists its own browsers' names; the third one is our provider's
        instances: [{ browser: browser as any }],
      },
    },
  }
}

/** The projects whose browser is on this machine. In CI a missing browser is an error, elsewhere a line that says so. */
function browserProjects(): TestProjectInlineConfiguration[] {
  const missing = (['chromium', 'firefox', 'webkit'] as const).filter((name) => !paths[name])
  if (missing.length > 0) {
    if (process.env.CI) throw new Error(`Not on this machine: ${missing}. Run test/support/install-browsers.sh`)
    // Vitest loads this file once for each project, but one line is enough
    if (!process.env.NEARCACHE_SKIPPED) process.stderr.write(`SKIPPED: the tests in ${missing}, not on this machine\n`)
    process.env.NEARCACHE_SKIPPED = missing.join()
  }
  return [
    ...(paths.chromium ? [inRealBrowser('chromium', playwright({ launchOptions: chromiumLaunch }))] : []),
    ...(paths.firefox ? [inRealBrowser('firefox', playwright({ launchOptions: firefoxLaunch }))] : []),
    ...(paths.webkit
      ? [inRealBrowser('webkit', webkitgtk({ executablePath: paths.webkit, features: safariFeatures }), 'webkitgtk')]
      : []),
  ]
}

/** A Chromium of its own that is killed, with a profile of its own. */
const soakProject = (): TestProjectInlineConfiguration[] =>
  paths.chromium
    ? [
        {
          extends: true,
          test: { name: 'soak', environment: 'node', include: ['test/soak/**/*.test.ts'], testTimeout: 120_000 },
        },
      ]
    : []

/** The packed tarball in other people's projects; its bundles run in Chromium. */
const packageProject = (): TestProjectInlineConfiguration[] =>
  paths.chromium
    ? [
        {
          extends: true,
          test: {
            name: 'package',
            environment: 'node',
            include: ['test/package/**/*.test.ts'],
            testTimeout: 60_000,
            // it is installed from a registry
            hookTimeout: 300_000,
          },
        },
      ]
    : []

/** WebKit's MiniBrowser by itself: its pages drive themselves. */
const driverless = (): TestProjectInlineConfiguration[] =>
  paths.webkit
    ? [
        {
          extends: true,
          test: {
            name: 'driverless',
            environment: 'node',
            include: ['test/**/*.webkit.test.ts'],
            testTimeout: 120_000,
          },
        },
      ]
    : []

/** Files follow one another in one process and share their modules: a process for each took longer than its tests. So a test puts back what it changes of the globals, and sets up its hooks itself (test/architecture.test.ts). */
const sharedProcess = { isolate: false }

export default defineConfig({
  logLevel: 'warn',
  server: { headers: { 'Service-Worker-Allowed': '/' } },
  optimizeDeps: {
    include: [
      'idb-keyval',
      'zod/mini',
      'react',
      'react/jsx-dev-runtime',
      'react-dom/client',
      'react-dom/server.browser',
    ],
  },
  test: {
    // no test waits; some compute for seconds on a slow machine
    testTimeout: 20_000,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'json-summary'] },
    projects: [
      {
        extends: true,
        // the benchmark's peers name the package as its users do
        resolve: {
          alias: [{ find: /^nearcache$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) }],
        },
        test: {
          ...sharedProcess,
          name: 'unit',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          setupFiles: ['test/support/properties.ts'],
          exclude: [
            'test/**/*.browser.test.ts',
            'test/**/*.dom.test.ts',
            'test/**/*.webkit.test.ts',
            'test/package/**',
            'test/conformance/**',
            'test/soak/**',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'dom',
          environment: 'happy-dom',
          include: ['test/**/*.dom.test.{ts,tsx}'],
          setupFiles: ['fake-indexeddb/auto', 'test/support/react-clean.ts'],
          environmentOptions: { happyDOM: { settings: { fetch: { disableSameOriginPolicy: true } } } },
        },
      },
      {
        extends: true,
        // The oldest React that the hooks are said to work with.
        resolve: { alias: [{ find: /^react(-dom)?(?=\/|$)/, replacement: 'react$1-18' }] },
        test: {
          name: 'react-18',
          environment: 'happy-dom',
          include: ['test/react/*.dom.test.tsx', 'test/react/server-rendering.test.ts'],
          exclude: ['test/react/activity.dom.test.tsx'],
          setupFiles: ['test/support/react-18.ts', 'fake-indexeddb/auto', 'test/support/react-clean.ts'],
          environmentOptions: { happyDOM: { settings: { fetch: { disableSameOriginPolicy: true } } } },
        },
      },
      {
        extends: true,
        test: {
          // the public suite waits in real time, and needs the built package
          name: 'conformance',
          environment: 'node',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
      ...packageProject(),
      ...soakProject(),
      ...driverless(),
      ...browserProjects(),
    ],
  },
})
