import type { PageEvents } from '../ports/page-events.ts'

/** The document's and the window's events. A page that comes back from the bfcache becomes visible, too. */
export const pageEvents: PageEvents = {
  listen(listener, signal) {
    const { document } = globalThis as Partial<typeof globalThis>
    const onVisible = () => pageEvents.isVisible() && listener('focus')
    document?.addEventListener('visibilitychange', onVisible, { signal })
    document?.defaultView?.addEventListener('online', () => listener('reconnect'), { signal })
  },
  isVisible: () => globalThis.document?.visibilityState === 'visible',
}
