import type { PageEvents } from '../ports/page-events.ts'

/** The document's and the window's events. A page that comes back from the bfcache becomes visible, too. */
export const pageEvents: PageEvents = {
  listen(listener) {
    const { document, addEventListener, removeEventListener } = globalThis as Partial<typeof globalThis>
    if (!document || !addEventListener) return () => {}
    const onVisible = () => pageEvents.isVisible() && listener('focus')
    const onOnline = () => listener('reconnect')
    document.addEventListener('visibilitychange', onVisible)
    addEventListener('online', onOnline)
    return () => {
      document.removeEventListener('visibilitychange', onVisible)
      removeEventListener?.('online', onOnline)
    }
  },
  isVisible: () => globalThis.document?.visibilityState === 'visible',
}
