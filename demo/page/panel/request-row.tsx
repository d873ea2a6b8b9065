import { useState } from 'react'
import type { Language } from '../language.ts'
import { duration, shortDuration, size } from './amounts.ts'
import { askers } from './askers.ts'
import { causes } from './causes.ts'
import { Explained } from './explained.tsx'
import { pathOf } from './path-of.ts'
import type { RequestEntry } from './record.ts'

interface RequestRowProps {
  readonly entry: RequestEntry
  readonly now: number
  readonly language: Language
  /** For a row that stands for several pictures. */
  readonly gathered?: { readonly count: number; readonly isOpen: boolean; onToggle(): void }
}

/** One request in two lines; a click tells why. */
export function RequestRow({ entry, now, language, gathered }: RequestRowProps) {
  const [isExplained, setExplained] = useState(false)
  const { cause, url, method, status, durationMs, bytesSaved, msSaved, behind } = entry
  const { pathname, search } = new URL(url)
  const isOpen = gathered ? gathered.isOpen : isExplained
  return (
    <>
      <button
        type="button"
        className="row"
        data-cause={cause}
        data-source={causes[cause].source}
        data-path={gathered ? '/api/pictures' : pathname + search}
        data-method={method || undefined}
        data-behind={behind}
        data-asked-by={entry.askedBy}
        data-count={gathered?.count}
        aria-expanded={isOpen}
        onClick={gathered ? gathered.onToggle : () => setExplained(!isExplained)}
      >
        <span className="chip">{cause}</span>
        <span className="path">
          {method === 'GET' || method === '' ? '' : `${method} `}
          {gathered ? `${gathered.count} pictures` : pathOf(url)}
        </span>
        <span className="saved">
          {bytesSaved > 0 ? (
            <>
              <span className="unseen">saved </span>
              {size(bytesSaved)}
              {msSaved > 0 && ` · ${shortDuration(msSaved)}`}
            </>
          ) : cause === 'rejected' ? (
            'no answer'
          ) : (
            `${status} · ${shortDuration(durationMs)}`
          )}
        </span>
        <Lifetime entry={entry} now={now} />
      </button>
      {isExplained && !gathered && <Explained entry={entry} now={now} language={language} />}
    </>
  )
}

/** Which context has asked the origin. */
function AskedBy({ askedBy }: Pick<RequestEntry, 'askedBy'>) {
  return (
    <span className="asked-by">
      {askedBy && (
        <>
          <span className="unseen">asked by </span>
          {askers[askedBy]}
        </>
      )}
    </span>
  )
}

const behindWords = {
  waiting: 'refreshing behind …',
  unchanged: 'refreshed behind: unchanged',
  new: 'refreshed behind: new content',
  failed: 'the refresh behind failed',
}

/** Age, and a bar of what is left: first of the lifetime, then of the window in which it may be shown while it is refreshed. */
function Lifetime({
  entry: { numbers, at, behind, cause, askedBy },
  now,
}: {
  readonly entry: RequestEntry
  readonly now: number
}) {
  const told = behind ? ` · ${behindWords[behind]}` : ''
  if (!numbers) {
    const words = cause === 'rejected' ? 'nothing to show' : cause === 'method' ? 'a write' : 'not stored'
    return (
      <span className="lifetime">
        <span className="bar" aria-hidden="true" />
        <span className="left">{words + told}</span>
        <AskedBy askedBy={askedBy} />
      </span>
    )
  }
  const { ageMs, lifetimeMs, staleForMs, staleWhileRevalidateMs, staleIfErrorMs } = numbers
  const passed = Math.max(0, now - at)
  const staleFor = staleForMs + passed
  const window = lifetimeMs + staleWhileRevalidateMs
  const share = (ms: number) => (window > 0 ? Math.max(0, Math.min(1, ms / window)) : 0)
  const freshLeft = Math.max(0, -staleFor)
  const windowLeft = Math.max(0, staleWhileRevalidateMs - Math.max(0, staleFor))
  const left =
    freshLeft > 0
      ? `fresh for ${duration(freshLeft)}`
      : windowLeft > 0 && staleWhileRevalidateMs > 0
        ? `stale, usable for ${duration(windowLeft)}`
        : lifetimeMs === 0
          ? 'asked each time'
          : staleIfErrorMs > staleFor
            ? `stale, on error usable for ${duration(staleIfErrorMs - staleFor)}`
            : 'lifetime over'
  return (
    <span className="lifetime">
      <span className="bar" aria-hidden="true">
        <span className="bar-fresh" style={{ transform: `scaleX(${share(freshLeft)})` }} />
        <span className="bar-window" style={{ transform: `scaleX(${share(freshLeft + windowLeft)})` }} />
      </span>
      <span className="left">
        age {duration(ageMs + passed)} · {left}
        {told}
      </span>
      <AskedBy askedBy={askedBy} />
    </span>
  )
}
