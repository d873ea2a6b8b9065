/** Whether somebody looks at this page; where there are no pages, always. */
export function pagePresence(): {
  state(): 'visible' | 'hidden' | 'gone'
  onChange(listener: () => void): () => void
} {
  const { document, window } = globalThis as Partial<typeof globalThis>
  if (!document || !window) return { state: () => 'visible', onChange: () => () => {} }
  const listeners = new Set<() => void>()
  let isGone = false
  const changed = (gone: boolean) => () => {
    isGone = gone
    for (const listener of [...listeners]) listener()
  }
  const [gone, here] = [changed(true), changed(false)]
  const watched = [
    [document, 'visibilitychange', here],
    [window, 'pageshow', here],
    [window, 'pagehide', gone],
    [document, 'freeze', gone],
    [document, 'resume', here],
  ] as const
  return {
    state: () => (isGone ? 'gone' : document.visibilityState === 'visible' ? 'visible' : 'hidden'),
    onChange(listener) {
      if (listeners.size === 0) for (const [target, type, on] of watched) target.addEventListener(type, on)
      listeners.add(listener)
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return
        for (const [target, type, on] of watched) target.removeEventListener(type, on)
      }
    },
  }
}
