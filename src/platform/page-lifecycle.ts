import type { Stage, WatchLifecycle } from '../ports/lifecycle.ts'

/**
 * The stages of a page by its events (HTML, page lifecycle). `pagehide` and not `unload`, which would keep it out of the back/forward cache; `freeze` and `resume` are Chromium's.
 */
export const pageLifecycle: WatchLifecycle = (listener) => {
  const { window, document } = globalThis as Partial<typeof globalThis>
  if (!window || !document) return () => {}
  const events: ReadonlyArray<
    readonly [target: EventTarget, type: string, stageOf: (event: Event) => Stage | undefined]
  > = [
    [window, 'pagehide', () => 'hidden'],
    [document, 'freeze', () => 'hidden'],
    [window, 'pageshow', (event) => ((event as PageTransitionEvent).persisted ? 'restored' : undefined)],
    [document, 'resume', () => 'restored'],
    [document, 'visibilitychange', () => (document.visibilityState === 'visible' ? 'shown' : undefined)],
  ]
  const ends = events.map(([target, type, stageOf]) => {
    const hear = (event: Event) => {
      const stage = stageOf(event)
      if (stage) listener(stage)
    }
    target.addEventListener(type, hear)
    return () => target.removeEventListener(type, hear)
  })
  return () => {
    for (const end of ends) end()
  }
}
