/** An address of the API as the panel writes it: what follows `/api`, with words as they are read. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  const path = pathname.replace(/^\/api/, '') + search
  try {
    return decodeURIComponent(path)
  } catch {
    return path // a lone % is no escape
  }
}
