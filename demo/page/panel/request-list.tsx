import { useState } from 'react'
import type { Language } from '../language.ts'
import { pathOf } from './path-of.ts'
import type { Entry, PurgeEntry, RequestEntry } from './record.ts'
import { RequestRow } from './request-row.tsx'
import { useNow } from './use-now.ts'

/** What the list shows in one place: a request, a purge, or pictures that were answered alike one after another. */
type Item = Entry | { readonly kind: 'pictures'; readonly id: number; readonly entries: readonly RequestEntry[] }

/** Every request, latest first. */
export function RequestList({
  entries,
  language,
}: {
  readonly entries: readonly Entry[]
  readonly language: Language
}) {
  const now = useNow()
  return (
    <section className="requests" aria-labelledby="requests">
      <h3 id="requests">Requests</h3>
      <ol>
        {gather(entries).map((item) => {
          if (item.kind === 'purge') return <PurgeRow key={item.id} entry={item} />
          if (item.kind === 'pictures') {
            return <PicturesRow key={item.id} entries={item.entries} now={now} language={language} />
          }
          return (
            <li key={item.id}>
              <RequestRow entry={item} now={now} language={language} />
            </li>
          )
        })}
      </ol>
    </section>
  )
}

const isPicture = (entry: Entry): entry is RequestEntry =>
  entry.kind === 'request' && new URL(entry.url).pathname.startsWith('/api/pictures/')

/** Puts neighbouring pictures with the same cause into one item, so that they do not push all else away. */
function gather(entries: readonly Entry[]): Item[] {
  const items: Item[] = []
  for (const entry of entries) {
    const last = items.at(-1)
    if (!isPicture(entry)) items.push(entry)
    else if (last?.kind === 'pictures' && last.entries[0]?.cause === entry.cause) {
      // named after the first that came, so that the item stays the same while others come
      items[items.length - 1] = { ...last, id: entry.id, entries: [...last.entries, entry] }
    } else items.push({ kind: 'pictures', id: entry.id, entries: [entry] })
  }
  return items
}

interface PicturesRowProps {
  readonly entries: readonly RequestEntry[]
  readonly now: number
  readonly language: Language
}

function PicturesRow({ entries, now, language }: PicturesRowProps) {
  const [isOpen, setOpen] = useState(false)
  const [first] = entries
  if (!first) return null
  if (entries.length === 1) {
    return (
      <li>
        <RequestRow entry={first} now={now} language={language} />
      </li>
    )
  }
  const sum = (of: (entry: RequestEntry) => number) => entries.reduce((total, entry) => total + of(entry), 0)
  const together = { ...first, bytesSaved: sum((entry) => entry.bytesSaved), msSaved: sum((entry) => entry.msSaved) }
  return (
    <li>
      <RequestRow
        entry={together}
        now={now}
        language={language}
        gathered={{ count: entries.length, isOpen, onToggle: () => setOpen(!isOpen) }}
      />
      {isOpen && (
        <ol className="gathered">
          {entries.map((entry) => (
            <li key={entry.id}>
              <RequestRow entry={entry} now={now} language={language} />
            </li>
          ))}
        </ol>
      )}
    </li>
  )
}

const modes: Readonly<Record<PurgeEntry['mode'], string>> = {
  soft: 'Purged softly: stale from here on',
  hard: 'Purged hard: never used again',
  invalidate: 'A write made this untrue',
}

function PurgeRow({ entry: { mode, urls } }: { readonly entry: PurgeEntry }) {
  const paths = urls.map((url) => pathOf(url))
  return (
    <li className="purge-row" data-purge={mode}>
      <span>{modes[mode]}</span>
      {paths.length > 0 && <span className="path">{paths.join(', ')}</span>}
    </li>
  )
}
