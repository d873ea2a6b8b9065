import { useEffect, useRef } from 'react'
import type { Answer, Lane, Piece } from './lane.ts'

const price = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })

interface ScreenProps {
  readonly lane: Lane
  /** Told once: how long the visitor has waited for the list, in milliseconds; `undefined`: there is nothing to show. */
  onShown(waitedMs: number | undefined): void
}

/** A small shop page. Two of its parts want the same list, as parts of pages do; the number on the shelf must not be stored. */
export function Screen({ lane, onShown }: ScreenProps) {
  const began = useRef(performance.now())
  const list = lane.useRead<Piece[]>(`/api/window?lane=${lane.id}`)
  const isDone = list.data !== undefined || list.failed

  // biome-ignore lint/correctness/useExhaustiveDependencies: told once for each visit
  useEffect(() => {
    if (isDone) onShown(list.data ? performance.now() - began.current : undefined)
  }, [isDone])

  return (
    <div className="lane-screen">
      <Heading lane={lane} />
      <List {...list} />
      <Shelf lane={lane} />
    </div>
  )
}

function Heading({ lane }: { readonly lane: Lane }) {
  const { data } = lane.useRead<Piece[]>(`/api/window?lane=${lane.id}`)
  return <h3>{data ? `${data.length} pieces` : ' '}</h3>
}

function List({ data, failed }: Answer<Piece[]>) {
  if (!data && failed) return <p className="lane-nothing">There is nothing to show.</p>
  const places: ReadonlyArray<Piece | undefined> = data?.slice(0, 5) ?? Array.from({ length: 5 }, () => undefined)
  return (
    <ul aria-busy={!data}>
      {places.map((piece, index) => (
        <li key={piece?.slug ?? index}>
          <span>{piece?.name ?? ' '}</span>
          <span>{piece ? price.format(piece.price / 100) : ' '}</span>
        </li>
      ))}
    </ul>
  )
}

function Shelf({ lane }: { readonly lane: Lane }) {
  const { data, failed } = lane.useRead<{ left: number }>(`/api/stock/teapot?lane=${lane.id}`)
  return (
    <p className="lane-shelf">{failed ? 'Teapots: unknown' : data ? `Teapots: ${data.left} left` : 'Teapots: …'}</p>
  )
}
