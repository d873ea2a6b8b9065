import { defineBrowserProvider } from '@vitest/browser'
import { type MiniBrowser, type MiniBrowserOptions, openMiniBrowser } from './mini-browser.ts'

/** A Vitest browser provider without a driver: it opens the page that Vitest names in WebKitGTK's MiniBrowser. */
export function webkitgtk(options: MiniBrowserOptions): ReturnType<typeof defineBrowserProvider> {
  return defineBrowserProvider({
    name: 'webkitgtk',
    supportedBrowser: ['webkitgtk'],
    options,
    providerFactory() {
      const open: MiniBrowser[] = []
      return {
        name: 'webkitgtk',
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        async openPage(_session: string, url: string): Promise<void> {
          open.push(await openMiniBrowser(options, url))
        },
        async close(): Promise<void> {
          for (const browser of open.splice(0)) await browser.close()
        },
      }
    },
  })
}
