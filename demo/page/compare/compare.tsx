import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { follow } from '../address.ts'
import { changePrices, type Mood, readOrigin, setMood } from '../panel/origin-switches.ts'
import type { Lane } from './lane.ts'
import { lanes } from './lanes.tsx'
import { Screen } from './screen.tsx'
import { type Received, Tally, type Wait } from './tally.tsx'
import { PAST_S, type Step, tour } from './tour.ts'
import '../styles/compare.css'

const moods: readonly Mood[] = ['well', 'slow', 'ill', 'dead']

async function receivedByLane(): Promise<Readonly<Record<string, Received>>> {
  const response = await fetch('/control/received', { cache: 'no-store' })
  const all = (await response.json()) as Array<{ path: string; status: number }>
  return Object.fromEntries(
    lanes.map(({ id }) => {
      const mine = all.filter(({ path, status }) => path.endsWith(`lane=${id}`) && status !== 0)
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
  const [waits, setWaits] = useState<Readonly<Record<string, readonly Wait[]>>>({})
  const name = `${page} ${visit}`
  const isTimed = (id: string) => waits[id]?.at(-1)?.visit === name

  const count = useCallback(() => receivedByLane().then(setReceived), [])
  const become = (next: Mood) => setMood(next).then((origin) => showMood(origin.mood))
  useEffect(() => {
    document.title = 'Side by side · Lehmhaus'
    readOrigin().then((origin) => showMood(origin.mood))
  }, [])

  function shown(id: string, ms: number | undefined): void {
    setWaits((all) => ({ ...all, [id]: [...(all[id] ?? []), { visit: name, ms }] }))
    // a refresh behind, or a request that is stopped, is on its way yet
    setTimeout(count, 250)
  }

  const go = (where: Step['does']) => (where === 'visit' ? setVisit((last) => last + 1) : setPage((last) => last + 1))
  const story = useTour(
    lanes.every(({ id }) => isTimed(id)),
    async ({ mood, isRepriced }) => {
      if (isRepriced) await changePrices()
      if (mood) await become(mood)
    },
    go,
  )

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
          The API says of its list of pieces: fresh for 3 seconds, to be shown for another 3 while it is refreshed, and
          for ten minutes when the API is down. What is on the shelf must not be stored. What it has answered, the API
          counts itself.
        </p>
      </header>
      <section className="compare-controls" aria-label="Switches">
        <button type="button" className="primary" disabled={story.isPlaying} onClick={story.play}>
          {story.isPlaying ? 'Playing…' : 'Play a visitor’s day'}
        </button>
        <button type="button" className="quiet" disabled={story.isPlaying} onClick={() => go('visit')}>
          Leave and come back
        </button>
        <button type="button" className="quiet" disabled={story.isPlaying} onClick={() => go('page')}>
          Close the tab and open it again
        </button>
        <WaitButton />
        <button type="button" className="quiet" onClick={() => changePrices()}>
          Change prices
        </button>
        <fieldset className="moods">
          <legend>The API is</legend>
          <div className="choices">
            {moods.map((one) => (
              <label key={one}>
                <input type="radio" name="mood" checked={one === mood} onChange={() => become(one)} />
                <span>{one}</span>
              </label>
            ))}
          </div>
        </fieldset>
      </section>
      <p className="story" role="status">
        {story.said}
      </p>
      <Tally lanes={lanes} waits={waits} received={received} visit={name} />
      <div className="lanes">
        {lanes.map((lane) => (
          <LaneColumn
            key={lane.id}
            lane={lane}
            name={name}
            page={page}
            isTimed={isTimed(lane.id)}
            onShown={(ms) => shown(lane.id, ms)}
          />
        ))}
      </div>
      <p className="compare-note">
        Opening the tab again is played: what each way keeps in memory is thrown away, and what it keeps on disk stays.
        The browser’s own HTTP cache lies below all three, and helps each of them while it may: for 6 seconds.
      </p>
    </main>
  )
}

/** Plays the tour: one step after the other, each when all three have shown something of the one before. */
function useTour(isShown: boolean, change: (step: Step) => Promise<void>, go: (where: Step['does']) => void) {
  const [at, setAt] = useState<number>()
  const latest = useRef({ change, go })
  latest.current = { change, go }
  /** The step whose visit has begun. */
  const [gone, setGone] = useState<number>()
  const step = at === undefined ? undefined : tour[at]

  useEffect(() => {
    if (!step) return
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    latest.current.change(step).then(() => {
      if (isOver) return
      // what was shown a moment ago wants to be seen
      timer = setTimeout(
        () => {
          latest.current.go(step.does)
          setGone(at)
        },
        1_000 * (step.waitS ?? 1),
      )
    })
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [step, at])

  useEffect(() => {
    if (at === undefined || gone !== at || !isShown) return
    if (at + 1 < tour.length) setAt(at + 1)
    else {
      setAt(undefined)
      setGone(undefined)
    }
  }, [at, gone, isShown])

  return {
    isPlaying: step !== undefined,
    said: step?.said ?? 'Let a day be played, or go through it yourself.',
    play: () => setAt(0),
  }
}

function WaitButton() {
  const [left, setLeft] = useState(0)

  useEffect(() => {
    if (left === 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1_000)
    return () => clearTimeout(timer)
  }, [left])

  return (
    <button type="button" className="quiet" disabled={left > 0} onClick={() => setLeft(PAST_S)}>
      {left > 0 ? `${left} s to wait` : `Wait ${PAST_S} s`}
    </button>
  )
}

interface LaneColumnProps {
  readonly lane: Lane
  /** Of this visit. */
  readonly name: string
  readonly page: number
  readonly isTimed: boolean
  onShown(ms: number | undefined): void
}

function LaneColumn({ lane, name, page, isTimed, onShown }: LaneColumnProps) {
  const [begun, setBegun] = useState<{ readonly page: number; readonly wrap: (screen: ReactNode) => ReactNode }>()

  useEffect(() => {
    let gone = false
    lane.begin().then((wrap) => !gone && setBegun({ page, wrap }))
    return () => {
      gone = true
    }
  }, [lane, page])

  return (
    <section className="lane" aria-label={lane.name} data-lane={lane.id} data-done={isTimed}>
      <h2>{lane.name}</h2>
      <code>{lane.code}</code>
      {begun?.page === page && begun.wrap(<Screen key={name} lane={lane} onShown={onShown} />)}
    </section>
  )
}
