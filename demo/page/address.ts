import { type MouseEvent, useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
const tell = () => {
  for (const listener of listeners) listener()
}
window.addEventListener('popstate', tell)

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Path and query of the page. */
export function useAddress(): URL {
  const href = useSyncExternalStore(subscribe, () => location.pathname + location.search)
  return new URL(href, location.origin)
}

/** Shows another page of the shop, from its top. */
export function goTo(path: string): void {
  history.pushState(null, '', path)
  tell()
  window.scrollTo(0, 0)
}

/** Keeps a click on a link inside the page, unless the reader wants it in another tab. */
export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return
  event.preventDefault()
  const { pathname, search } = new URL(event.currentTarget.href)
  goTo(pathname + search)
}
