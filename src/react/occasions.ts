import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { PageEvents } from '../ports/page-events.ts'
import type { Random } from '../ports/random.ts'

/** When a view reads again, beside what it is told: all three by the headers, so that what is fresh costs no request. */
export interface Occasions {
  /** Read again when the page becomes visible, within 200 ms; the origin is asked only where the headers say that what is stored is stale. @default true */
  readOnFocus?: boolean
  /** Read again when the browser is online again, at a random moment within 2 s. @default true */
  readOnReconnect?: boolean
  /** Read again this often while the page is visible, in milliseconds, 1,000 or more, 0 for never; each time up to a tenth later, by chance. @default 0 */
  readEveryMs?: Ms
}

export interface OccasionPorts {
  readonly clock: Clock
  readonly random: Random
  readonly page: PageEvents
}

/** Longest wait before a read on these occasions, in milliseconds: all the pages of an origin that comes back must not ask it in the same moment. */
const SPREAD_MS = { focus: 200, reconnect: 2_000 }

/** Shortest time between two reads by the clock, in milliseconds. */
const MIN_EVERY_MS = 1_000

/** Calls `read` on each occasion until `signal` is aborted. */
export function onOccasion(
  { readOnFocus, readOnReconnect, readEveryMs }: Required<Occasions>,
  { clock, random, page }: OccasionPorts,
  read: () => Promise<void>,
  signal: AbortSignal,
): void {
  const ended = () => {}
  page.listen((event) => {
    if (event === 'focus' ? readOnFocus : readOnReconnect)
      clock.sleep(random() * SPREAD_MS[event], signal).then(read, ended)
  }, signal)

  async function readEvery(): Promise<void> {
    for (;;) {
      await clock.sleep(Math.max(MIN_EVERY_MS, readEveryMs) * (1 + random() / 10), signal)
      if (page.isVisible()) await read()
    }
  }
  // What is no number of milliseconds means never, not without a pause.
  if (readEveryMs > 0 && readEveryMs < Number.POSITIVE_INFINITY) readEvery().catch(ended)
}
