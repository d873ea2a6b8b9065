import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { follow } from '../address.ts'
import { shortDuration } from '../panel/amounts.ts'
import { changePrices, type Mood, readOrigin, setMood } from '../panel/origin-switches.ts'
import type { Lane } from './lane.ts'
import { lanes } from './lanes.tsx'
import { Screen } from './screen.tsx'
import '../styles/compare.css'

const moods: readonly Mood[] = ['well', 'slow', 'ill', 'dead']

/** What the origin has received of one lane. */
interface Received {
  readonly requests: number
  /** Answered 304: nothing downloaded. */
  readonly unchanged: number
}

async function receivedByLane(): Promise<Readonly<Record<string, Received>>> {
  const response = await fetch('/control/received', { cache: 'no-store' })
  const all = (await response.json()) as Array<{ path: string; status: number }>
  return Object.fromEntries(
    lanes.map(({ id }) => {
      const mine = all.filter(({ path }) => path.endsWith(`lane=${id}`))
      return [id, { requests: mine.length, unchanged: mine.filter(({ status }) => status === 304).length }]
    }),
  )
}

/** The same screen three times, each with its own way of reading the API; counted by the origin, timed in the page. */
export function Compare() {
  const [visit, setVisit] = useState(0)
  const [page, setPage] = useState(0)
  const [mood, showMood] = useState<Mood>('well')
  const [received, setReceived] = useState<Readonly<Record<string, Received>>>({})

  const count = useCallback(() => receivedByLane().then(setReceived), [])
  useEffect(() => {
    document.title = 'Side by side · Lehmhaus'
    readOrigin().then((origin) => showMood(origin.mood))
  }, [])

  return (
    <main className="compare" lang="en">
      <header className="compare-head">
        <p>
          <a href="/" onClick={follow}>
            ← The shop
          </a>
        </p>
        <h1>The same screen, read in three ways</h1>
        <p>
          The API says of its list of pieces: fresh for 10 seconds, to be shown for another minute while it is
          refreshed, and for ten minutes when the API is down. What is on the shelf must not be stored. Requests are
          counted by the API itself.
        </p>
      </header>
      <section className="compare-controls" aria-label="Switches">
        <button type="button" className="primary" onClick={() => setVisit(visit + 1)}>
          Leave and come back
        </button>
        <button type="button" className="primary" onClick={() => setPage(page + 1)}>
          Close the tab and open it again
        </button>
        <Wait />
        <button type="button" className="quiet" onClick={() => changePrices()}>
          Change prices
        </button>
        <fieldset className="moods">
          <legend>The API is</legend>
          <div className="choices">
            {moods.map((one) => (
              <label key={one}>
                <input
                  type="radio"
                  name="mood"
                  checked={one === mood}
                  onChange={() => setMood(one).then((origin) => showMood(origin.mood))}
                />
                <span>{one}</span>
              </label>
            ))}
          </div>
        </fieldset>
      </section>
      <div className="lanes">
        {lanes.map((lane) => (
          <LaneColumn
            key={lane.id}
            lane={lane}
            visit={visit}
            page={page}
            received={received[lane.id]}
            onCount={count}
          />
        ))}
      </div>
      <p className="compare-note">
        Opening the tab again is played: what each way keeps in memory is thrown away, and what it keeps on disk stays.
        The browser’s own HTTP cache lies below all three, and helps each of them for a little more than a minute: wait,
        make the API dead, and open the tab again.
      </p>
    </main>
  )
}

/** Longer than the browser's own cache may show the list while it refreshes it. Its clock cannot be put forward, so that the wait is a real one. */
const WAIT_S = 75

function Wait() {
  const [left, setLeft] = useState(0)

  useEffect(() => {
    if (left === 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1_000)
    return () => clearTimeout(timer)
  }, [left])

  return (
    <button type="button" className="quiet" disabled={left > 0} onClick={() => setLeft(WAIT_S)}>
      {left > 0 ? `${left} s to wait` : `Wait ${WAIT_S} s`}
    </button>
  )
}

interface LaneColumnProps {
  readonly lane: Lane
  readonly visit: number
  readonly page: number
  readonly received: Received | undefined
  onCount(): void
}

/** `null`: under way; `undefined`: there was nothing to show. */
type Waited = number | undefined | null

function LaneColumn({ lane, visit, page, received, onCount }: LaneColumnProps) {
  const [begun, setBegun] = useState<{ readonly page: number; readonly wrap: (screen: ReactNode) => ReactNode }>()
  const [waited, setWaited] = useState<Waited>(null)
  const name = `${page} ${visit}`
  const [timed, setTimed] = useState('')

  useEffect(() => {
    let gone = false
    lane.begin().then((wrap) => !gone && setBegun({ page, wrap }))
    return () => {
      gone = true
    }
  }, [lane, page])

  function shown(ms: number | undefined): void {
    setWaited(ms)
    setTimed(name)
    // a refresh behind, or a request that is stopped, is on its way yet
    setTimeout(onCount, 250)
  }

  const isTimed = timed === name
  return (
    <section className="lane" aria-label={lane.name} data-lane={lane.id} data-done={isTimed}>
      <h2>{lane.name}</h2>
      <code>{lane.code}</code>
      <dl>
        <div>
          <dt>Waited for the list</dt>
          <dd data-testid="waited">
            {!isTimed || waited === null ? '…' : waited === undefined ? 'in vain' : shortDuration(waited)}
          </dd>
        </div>
        <div>
          <dt>Requests to the API</dt>
          <dd data-testid="requests">{received?.requests ?? '…'}</dd>
        </div>
        <div>
          <dt>of these “not modified”</dt>
          <dd data-testid="unchanged">{received?.unchanged ?? '…'}</dd>
        </div>
      </dl>
      {begun?.page === page && begun.wrap(<Screen key={name} lane={lane} onShown={shown} />)}
    </section>
  )
}
