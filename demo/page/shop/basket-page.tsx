import { useState } from 'react'
import { follow } from '../address.ts'
import { cache } from '../cache.ts'
import { useWords } from '../language.ts'
import { useApi } from '../use-api.ts'
import { Picture } from './picture.tsx'
import type { PieceInShort } from './piece-grid.tsx'

/** What the visitor is about to buy. Prices in cents. */
export interface Basket {
  readonly lines: ReadonlyArray<{ readonly slug: string; readonly count: number; readonly price: number }>
  readonly count: number
  readonly total: number
}

/** Changes the basket: on the page at once, at the origin as soon as it answers. When it does not, the page takes it back. */
export async function putIntoBasket(piece: Pick<PieceInShort, 'slug' | 'price'>, count: number): Promise<void> {
  const optimistic = cache.update<Basket>('/api/basket', (basket) => withMore(basket, piece, count))
  try {
    await post('/api/basket/lines', { slug: piece.slug, count })
  } catch (error) {
    optimistic.rollback()
    throw error
  }
}

/** The response says by its headers what it has made untrue; the cache acts on that before `post` returns. */
async function post(path: string, body: unknown): Promise<unknown> {
  const response = await cache.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return response.json()
}

function withMore(basket: Basket, { slug, price }: Pick<PieceInShort, 'slug' | 'price'>, more: number): Basket {
  const known = basket.lines.some((line) => line.slug === slug)
  const lines = (known ? basket.lines : [...basket.lines, { slug, price, count: 0 }])
    .map((line) => (line.slug === slug ? { ...line, count: line.count + more } : line))
    .filter(({ count }) => count > 0)
  return {
    lines,
    count: lines.reduce((sum, { count }) => sum + count, 0),
    total: lines.reduce((sum, line) => sum + line.count * line.price, 0),
  }
}

/** The basket, and the order. */
export function BasketPage() {
  const { words, price } = useWords()
  const { data: basket, error, refresh } = useApi<Basket>('/api/basket')
  const { data: pieces } = useApi<PieceInShort[]>('/api/products')
  const [said, setSaid] = useState('')

  function change(piece: Pick<PieceInShort, 'slug' | 'price'>, count: number) {
    setSaid('')
    putIntoBasket(piece, count).catch(() => setSaid(words.notAdded))
  }

  function order() {
    setSaid('')
    post('/api/checkout', {}).then(
      (answer) => setSaid(words.ordered((answer as { order: string }).order)),
      () => setSaid(words.notOrdered),
    )
  }

  return (
    <section className="basket">
      <h1>{words.basket}</h1>
      <p className="said" role="status" data-testid="said">
        {said}
      </p>
      {!basket && error !== undefined && (
        <div className="unreachable">
          <p>{words.basketUnknown}</p>
          <button type="button" className="quiet" onClick={refresh}>
            {words.again}
          </button>
        </div>
      )}
      {basket && error !== undefined && <p className="notice">{words.basketAsOf}</p>}
      {basket?.count === 0 && said === '' && (
        <p>
          {words.emptyBasket}{' '}
          <a href="/" onClick={follow}>
            {words.back}
          </a>
        </p>
      )}
      {basket && basket.count > 0 && (
        <>
          <ul className="lines">
            {basket.lines.map((line) => {
              const piece = pieces?.find(({ slug }) => slug === line.slug)
              const name = piece?.name ?? line.slug
              return (
                <li key={line.slug}>
                  <Picture path={piece?.picture} alt="" />
                  <a href={`/piece/${line.slug}`} onClick={follow}>
                    {name}
                  </a>
                  <span className="stepper">
                    <button type="button" aria-label={words.fewer(name)} onClick={() => change(line, -1)}>
                      −
                    </button>
                    <span>{line.count}</span>
                    <button type="button" aria-label={words.more(name)} onClick={() => change(line, 1)}>
                      +
                    </button>
                  </span>
                  <span className="line-price">{price(line.count * line.price)}</span>
                </li>
              )
            })}
          </ul>
          <p className="total">
            <span>{words.total}</span>
            <strong>{price(basket.total)}</strong>
          </p>
          <button type="button" className="primary" onClick={order}>
            {words.order}
          </button>
        </>
      )}
    </section>
  )
}
