import { shortDuration } from '../panel/amounts.ts'
import type { Lane } from './lane.ts'

/** How long a visitor waited for the list. */
export interface Wait {
  readonly visit: string
  /** In milliseconds; `undefined`: there was nothing to show. */
  readonly ms: number | undefined
}

/** What the origin has received of one lane. */
export interface Received {
  /** Answered, since a browser tries a dead origin as often as it has connections. */
  readonly requests: number
  /** Answered 304: nothing downloaded. */
  readonly unchanged: number
}

interface TallyProps {
  readonly lanes: readonly Lane[]
  /** By lane: each visit until now. */
  readonly waits: Readonly<Record<string, readonly Wait[]>>
  readonly received: Readonly<Record<string, Received>>
  /** The visit that is under way. */
  readonly visit: string
}

/** A wait that fills the bar, in milliseconds: what an origin takes that is slow. */
const FULL_MS = 2_000

/** The last visits that have room. */
const MAX_BARS = 12

/** What each way has cost until now, one below the other. */
export function Tally({ lanes, waits, received, visit }: TallyProps) {
  return (
    <table className="tally">
      <thead>
        <tr>
          <th scope="col">Read by</th>
          <th scope="col">Waits</th>
          <th scope="col">This visit</th>
          <th scope="col">In all</th>
          <th scope="col">Answers</th>
          <th scope="col">of these 304</th>
        </tr>
      </thead>
      <tbody>
        {lanes.map(({ id, name }) => {
          const mine = waits[id] ?? []
          const last = mine.at(-1)
          return (
            <tr key={id} data-tally={id}>
              <th scope="row">{name}</th>
              <td>
                <Bars waits={mine} />
              </td>
              <td data-testid="waited">
                {last?.visit !== visit ? '…' : last.ms === undefined ? <em>in vain</em> : shortDuration(last.ms)}
              </td>
              <td data-testid="in-all">{shortDuration(mine.reduce((sum, { ms = 0 }) => sum + ms, 0))}</td>
              <td data-testid="requests">{received[id]?.requests ?? '…'}</td>
              <td data-testid="unchanged">{received[id]?.unchanged ?? '…'}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

/** One bar for each visit: the shorter the better; a full one of another colour where there was nothing to show. */
function Bars({ waits }: { readonly waits: readonly Wait[] }) {
  return (
    <ol className="waits">
      {waits.slice(-MAX_BARS).map(({ visit, ms }) => (
        <li key={visit} data-vain={ms === undefined} style={{ height: `${heightOf(ms)}%` }}>
          <span className="waits-told">{ms === undefined ? 'in vain' : shortDuration(ms)}</span>
        </li>
      ))}
    </ol>
  )
}

const heightOf = (ms = FULL_MS): number => Math.min(100, Math.max(6, (100 * ms) / FULL_MS))
