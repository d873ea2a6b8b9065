import { useEffect, useRef, useState } from 'react'
import { cache } from '../cache.ts'
import type { Language } from '../language.ts'
import { shortDuration, size } from './amounts.ts'
import { OriginControls } from './origin-controls.tsx'
import { PageContext } from './page-context.tsx'
import { useEntries } from './record.ts'
import { RequestList } from './request-list.tsx'

interface PanelProps {
  readonly language: Language
  onReadAgain(): void
}

/** What the cache does, beside the shop; on a small screen a sheet that slides up. */
export function Panel({ language, onReadAgain }: PanelProps) {
  const [isOpen, setOpen] = useState(false)
  const handle = useRef<HTMLButtonElement>(null)
  const entries = useEntries()
  // counted by the cache itself; read again with each event
  const stats = cache.stats()

  useEffect(() => {
    if (!isOpen) return
    const close = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      setOpen(false)
      handle.current?.focus()
    }
    window.addEventListener('keydown', close)
    return () => window.removeEventListener('keydown', close)
  }, [isOpen])

  return (
    <aside className="panel" lang="en" aria-label="What the cache does" data-open={isOpen}>
      <button
        ref={handle}
        type="button"
        className="handle"
        aria-expanded={isOpen}
        aria-controls="panel-body"
        onClick={() => setOpen(!isOpen)}
      >
        <span className="grip" aria-hidden="true" />
        <span>nearcache</span>
        <span className="handle-totals">
          {stats.requestsSaved} of {stats.requests} requests saved
        </span>
      </button>
      <div className="panel-body" id="panel-body">
        <header className="panel-head">
          <h2>What the cache does</h2>
          <p>Every request of the shop goes through nearcache, which obeys the API’s own headers.</p>
        </header>
        <dl className="totals" data-testid="totals">
          <Total name="Requests" value={String(stats.requests)} />
          <Total name="Requests saved" value={String(stats.requestsSaved)} />
          <Total name="Bytes saved" value={size(stats.bytesSaved)} />
          <Total name="Time saved" value={shortDuration(stats.msSaved)} />
        </dl>
        <OriginControls onReadAgain={onReadAgain} />
        <PageContext />
        <RequestList entries={entries} language={language} />
      </div>
    </aside>
  )
}

function Total({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
