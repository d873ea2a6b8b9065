import { act, render } from '@testing-library/react'
import { type ReactNode, StrictMode } from 'react'
import { expect, vi } from 'vitest'
import type { CacheOptions } from '../../src/index.ts'
import { ViewsContext } from '../../src/react/context.ts'
import { createViews } from '../../src/react/views.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { harness } from '../engine/harness.ts'

/** A page that a test looks at, hides and shows. */
function playedPage() {
  const listeners = new Set<(event: 'focus' | 'reconnect') => void>()
  let isVisible = true
  return {
    listeners,
    show: (value: boolean) => {
      isVisible = value
    },
    tell(event: 'focus' | 'reconnect') {
      for (const listener of [...listeners]) listener(event)
    },
    events: {
      listen(listener: (event: 'focus' | 'reconnect') => void, signal: AbortSignal) {
        listeners.add(listener)
        signal.addEventListener('abort', () => listeners.delete(listener))
      },
      isVisible: () => isVisible,
    },
  }
}

/** The engine's harness, and a React page in front of it: time and chance are the test's, and so are the events of the page. An error that React logs fails the test. */
export function page(options: CacheOptions = {}) {
  // A page of the origin: in a page of another one fields and validators would be hidden.
  ;(window as unknown as { happyDOM: { setURL(url: string): void } }).happyDOM.setURL('https://origin.test/page')
  const world = harness(options)
  const played = playedPage()
  const { cache, clock, origin } = world
  const views = createViews(cache, {
    clock,
    random: seededRandom(1),
    page: played.events,
    base: () => origin.url,
    isServer: false,
  })
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {})
  const wrap = (children: ReactNode, isStrict = false) => {
    const all = <ViewsContext.Provider value={views}>{children}</ViewsContext.Provider>
    return isStrict ? <StrictMode>{all}</StrictMode> : all
  }
  return {
    ...world,
    played,
    views,
    errors,
    wrap,
    show: (children: ReactNode, isStrict?: boolean) => render(wrap(children, isStrict)),
    /** Lets everything that does not wait for time come to rest, React's renderings too. */
    settle: () => act(() => clock.settle()),
    advance: (ms: number) => act(() => clock.advance(ms)),
    expectNoErrors: () => expect(errors.mock.calls).toEqual([]),
  }
}
