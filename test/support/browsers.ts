import { existsSync } from 'node:fs'

const first = (...paths: Array<string | undefined>): string | undefined =>
  paths.find((path) => path && existsSync(path))

/** Where this machine has its browsers; a variable of the environment comes first. Undefined: not found. */
export const paths = {
  chromium: first(
    process.env.CHROME_PATH,
    '/usr/bin/chromium',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ),
  firefox: first(
    process.env.FIREFOX_PATH,
    '/usr/bin/firefox-esr',
    '/usr/bin/firefox',
    '/Applications/Firefox.app/Contents/MacOS/firefox',
  ),
  webkit: first(
    process.env.MINIBROWSER_PATH,
    '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
    '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
  ),
}

/** What Chromium's window would do beside the page: a second one that waits for somebody to type an address takes as much of a processor as the page. The rest is Playwright's own list, which this one replaces. */
const withoutWindow = [
  ...['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup', 'OmniboxPopupWebUI', 'AimEnabled'],
  ...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'DialMediaRouteProvider'],
  ...['GlobalMediaControls', 'HttpsUpgrades', 'LensOverlay', 'MediaRouter', 'NetworkTimeServiceQuerying'],
  ...['OptimizationHints', 'PaintHolding', 'ThirdPartyStoragePartitioning', 'Translate'],
]

/** Options for playwright's `chromium.launch`: no word to the outside. */
export const chromiumLaunch = {
  ...(paths.chromium ? { executablePath: paths.chromium } : {}),
  args: [
    '--disable-quic',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    `--disable-features=${withoutWindow}`,
    // no look-ups: without this line Chromium asks for accounts.google.com again and again
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ],
}

/** Options for playwright's `firefox.launch`: a stock Firefox over WebDriver BiDi. */
export const firefoxLaunch = {
  ...(paths.firefox ? { channel: 'moz-firefox', executablePath: paths.firefox } : {}),
  // every name is this machine: no look-up of Mozilla's settings server
  firefoxUserPrefs: { 'network.dns.forceResolve': '127.0.0.1' },
}
