import { CacheError } from 'nearcache'
import { useState } from 'react'
import { follow } from '../address.ts'
import { useWords } from '../language.ts'
import { useApi } from '../use-api.ts'
import { putIntoBasket } from './basket-page.tsx'
import { Picture } from './picture.tsx'
import type { PieceInShort } from './piece-grid.tsx'

interface Piece extends PieceInShort {
  readonly text: string
  readonly size: string
}

/** One piece. */
export function PiecePage({ slug }: { readonly slug: string }) {
  const { words, price } = useWords()
  const { data, error, refresh } = useApi<Piece>(`/api/products/${slug}`)
  const [said, setSaid] = useState('')

  if (!data && error !== undefined) {
    const isGone = error instanceof CacheError && error.response?.status === 404
    return (
      <section className="unreachable" data-testid={isGone ? 'not-found' : 'unreachable'}>
        <h1>{isGone ? words.gone : words.unreachable}</h1>
        <p>
          {!isGone && (
            <button type="button" className="quiet" onClick={refresh}>
              {words.again}
            </button>
          )}{' '}
          <a href="/" onClick={follow}>
            {words.back}
          </a>
        </p>
      </section>
    )
  }

  function add() {
    setSaid('')
    putIntoBasket({ slug, price: data?.price ?? 0 }, 1).then(
      () => setSaid(words.added),
      () => setSaid(words.notAdded),
    )
  }

  return (
    <article className="piece-page" aria-busy={!data}>
      <p className="back">
        <a href="/" onClick={follow}>
          ← {words.back}
        </a>
      </p>
      <Picture path={data?.picture} alt={data?.name ?? ''} />
      <div className="piece-words">
        <h1>{data?.name ?? '\u00a0'}</h1>
        <p className="piece-page-price" data-testid="price">
          {data ? price(data.price) : '\u00a0'}
        </p>
        <p className="piece-text">{data?.text ?? '\u00a0'}</p>
        <dl>
          <div>
            <dt>{words.glaze}</dt>
            <dd>{data?.glaze ?? '\u00a0'}</dd>
          </div>
          <div>
            <dt>{words.size}</dt>
            <dd>{data?.size ?? '\u00a0'}</dd>
          </div>
        </dl>
        <Stock slug={slug} />
        <button type="button" className="primary" onClick={add} disabled={!data}>
          {words.add}
        </button>
        <p className="said" role="status">
          {said}
        </p>
      </div>
    </article>
  )
}

function Stock({ slug }: { readonly slug: string }) {
  const { words } = useWords()
  const { data, error } = useApi<{ left: number }>(`/api/stock/${slug}`)
  return (
    <p className="stock" data-testid="stock">
      {error !== undefined ? words.leftUnknown : data ? words.left(data.left) : words.asking}
    </p>
  )
}
