import { follow } from '../address.ts'
import { useWords } from '../language.ts'
import { Picture } from './picture.tsx'

/** A piece as lists show it. */
export interface PieceInShort {
  readonly slug: string
  readonly name: string
  readonly glaze: string
  /** In cents. */
  readonly price: number
  readonly picture: string
}

interface PieceGridProps {
  readonly pieces: readonly PieceInShort[] | undefined
  readonly failed: boolean
  /** How many places to keep free until the pieces are there, so that nothing jumps. */
  readonly expected: number
  onAgain(): void
}

/** Pieces on a shelf. */
export function PieceGrid({ pieces, failed, expected, onAgain }: PieceGridProps) {
  const { words, price } = useWords()
  if (!pieces && failed) {
    return (
      <div className="unreachable" role="alert">
        <p>{words.unreachable}</p>
        <button type="button" className="quiet" onClick={onAgain}>
          {words.again}
        </button>
      </div>
    )
  }
  const places: ReadonlyArray<PieceInShort | undefined> = pieces ?? Array.from({ length: expected }, () => undefined)
  return (
    <ul className="grid" aria-busy={!pieces}>
      {places.map((piece, index) => (
        <li key={piece?.slug ?? index} data-testid="piece">
          {piece ? (
            <a className="piece" href={`/piece/${piece.slug}`} onClick={follow}>
              <Picture path={piece.picture} alt="" />
              <span className="piece-name">{piece.name}</span>
              <span className="piece-price">{price(piece.price)}</span>
              <span className="piece-glaze">{piece.glaze}</span>
            </a>
          ) : (
            <span className="piece">
              <span className="picture" />
              <span className="piece-name">&nbsp;</span>
              <span className="piece-price">&nbsp;</span>
              <span className="piece-glaze">&nbsp;</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}
