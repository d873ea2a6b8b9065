import { useWords } from '../language.ts'
import { useApi } from '../use-api.ts'
import { PieceGrid, type PieceInShort } from './piece-grid.tsx'

/** What the shop has for some words. `from` says where the search began; the API declares that it changes nothing. */
export function SearchPage({ asked, from }: { readonly asked: string; readonly from: string }) {
  const { words } = useWords()
  const { data, error, refresh } = useApi<PieceInShort[]>(`/api/search?${new URLSearchParams({ q: asked, from })}`)
  return (
    <section className="found">
      <h1 aria-live="polite" data-testid="found">
        {data ? words.found(data.length, asked) : `${words.search} …`}
      </h1>
      <PieceGrid pieces={data} failed={error !== undefined} expected={3} onAgain={refresh} />
    </section>
  )
}
