import { follow } from '../address.ts'
import { useWords } from '../language.ts'
import { useApi } from '../use-api.ts'
import { Picture } from './picture.tsx'
import { PieceGrid, type PieceInShort } from './piece-grid.tsx'

/** The front page: greeting, offer, pieces, workshop. */
export function Home() {
  const { words } = useWords()
  return (
    <>
      <section className="hero">
        <div className="hero-words">
          <Greeting />
          <h1>{words.title}</h1>
          <p className="lead">{words.lead}</p>
          <ul className="suggestions" aria-label={words.search}>
            {words.suggestions.map((suggestion) => (
              <li key={suggestion}>
                <a href={`/search?from=link&q=${encodeURIComponent(suggestion)}`} onClick={follow}>
                  {suggestion}
                </a>
              </li>
            ))}
          </ul>
        </div>
        <Offer />
      </section>
      <Pieces />
      <Workshop />
    </>
  )
}

function Greeting() {
  const { data } = useApi<{ text: string }>('/api/greeting')
  return (
    <p className="greeting" data-testid="greeting">
      {data?.text ?? '\u00a0'}
    </p>
  )
}

function Offer() {
  const { words, price } = useWords()
  const { data, error, refresh } = useApi<PieceInShort & { reduced: number }>('/api/offer')
  // Marked must-revalidate by its origin: what cannot be confirmed is not offered.
  const offer = error === undefined ? data : undefined
  return (
    <section className="offer" aria-label={words.offer} data-testid="offer">
      {offer ? (
        <a href={`/piece/${offer.slug}`} onClick={follow}>
          <Picture path={offer.picture} alt="" />
          <span className="offer-words">
            <span className="offer-title">{words.offer}</span>
            <span className="offer-name">{offer.name}</span>
            <span className="offer-price">
              {price(offer.reduced)}{' '}
              <s>
                <span className="unseen">{words.instead} </span>
                {price(offer.price)}
              </s>
            </span>
          </span>
        </a>
      ) : (
        <div className="offer-none">
          {error !== undefined && (
            <>
              <p>{words.offerUnknown}</p>
              <button type="button" className="quiet" onClick={refresh}>
                {words.again}
              </button>
            </>
          )}
        </div>
      )}
    </section>
  )
}

function Pieces() {
  const { words } = useWords()
  const { data, error, refresh } = useApi<PieceInShort[]>('/api/products')
  return (
    <section aria-labelledby="pieces">
      <h2 id="pieces">{words.pieces}</h2>
      <PieceGrid pieces={data} failed={error !== undefined} expected={12} onAgain={refresh} />
    </section>
  )
}

function Workshop() {
  const { data } = useApi<{ title: string; text: string }>('/api/workshop')
  return (
    <section className="workshop">
      <h2>{data?.title ?? '\u00a0'}</h2>
      <p>{data?.text ?? '\u00a0'}</p>
    </section>
  )
}
