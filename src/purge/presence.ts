import type { Clock } from '../ports/clock.ts'

/** Whether somebody looks at this page. Where there are no pages somebody always does. */
export interface Presence {
  /** `gone`: the page may be frozen at any moment; `hidden`: it is in the background. */
  state(): 'visible' | 'hidden' | 'gone'
  onChange(listener: () => void): () => void
}

/** How long a page in the background still counts as looked at, in milliseconds. */
const HIDDEN_MS = 10_000

/** Resolves when somebody looks at this page, or `closing` aborts. */
export const untilVisible = (presence: Presence, closing: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (presence.state() !== 'visible' && !closing.aborted) return
      end()
      closing.removeEventListener('abort', look)
      resolve()
    }
    const end = presence.onChange(look)
    closing.addEventListener('abort', look)
    look()
  })

/** A signal that aborts when this page is gone, has been hidden for a while, or `closing` aborts; `end` aborts it too, and lets go of everything. */
export function whilePresent(
  presence: Presence,
  clock: Clock,
  closing: AbortSignal,
): { readonly signal: AbortSignal; end(): void } {
  const mine = new AbortController()
  let hiding: AbortController | undefined
  const look = () => {
    const state = presence.state()
    if (state !== 'hidden') hiding?.abort()
    if (state === 'gone') mine.abort()
    if (state !== 'hidden' || (hiding && !hiding.signal.aborted)) return
    hiding = new AbortController()
    clock.sleep(HIDDEN_MS, hiding.signal).then(
      () => mine.abort(),
      () => {},
    )
  }
  const stop = () => mine.abort()
  const unwatch = presence.onChange(look)
  closing.addEventListener('abort', stop)
  look()
  return {
    signal: mine.signal,
    end() {
      mine.abort()
      unwatch()
      hiding?.abort()
      closing.removeEventListener('abort', stop)
    },
  }
}
