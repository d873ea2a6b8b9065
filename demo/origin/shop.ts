import { type Language, type Piece, pieces } from './catalogue.ts'

/** A moment, in milliseconds since 1970. */
export type EpochMs = number

/** What the shop knows at this moment: prices, and who has put what into which basket. */
export interface Shop {
  readonly openedAt: EpochMs
  price(piece: Piece): number
  /** When a price last changed, or the shop opened. */
  readonly changedAt: EpochMs
  /** Gives one piece another price, in cents. */
  setPrice(piece: Piece, price: number): void
  /** Raises or lowers every price by a euro, as a new firing does. */
  changePrices(): void
  basket(visitor: string): Basket
  /** Puts `count` more pieces into the basket, at most as many as are in stock; a negative number takes them out. */
  put(visitor: string, piece: Piece, count: number): void
  /** Empties the basket and gives the order a number. */
  order(visitor: string): string
}

/** What one visitor is about to buy. Carries no words, so it is the same in every language. */
interface Basket {
  readonly lines: ReadonlyArray<{ readonly slug: string; readonly count: number; readonly price: number }>
  readonly count: number
  readonly total: number
}

/** As many baskets as are kept: whoever comes without a cookie gets a new one. */
const MAX_BASKETS = 1000

/** Opens the shop. `now` is the origin's clock. */
export function openShop(now: () => EpochMs): Shop {
  const baskets = new Map<string, Map<string, number>>()
  let surcharge = 0
  let orders = 0
  const openedAt = now()
  let changedAt = openedAt
  const own = new Map<string, number>()
  const price = (piece: Piece) => (own.get(piece.slug) ?? piece.price) + surcharge

  return {
    openedAt,
    price,
    get changedAt() {
      return changedAt
    },
    setPrice(piece, next) {
      own.set(piece.slug, next - surcharge)
      changedAt = now()
    },
    changePrices() {
      surcharge = surcharge === 0 ? 100 : 0
      changedAt = now()
    },
    basket(visitor) {
      const counts = baskets.get(visitor) ?? new Map<string, number>()
      const lines = pieces
        .filter(({ slug }) => counts.has(slug))
        .map((piece) => ({ slug: piece.slug, count: counts.get(piece.slug) ?? 0, price: price(piece) }))
      return {
        lines,
        count: lines.reduce((sum, line) => sum + line.count, 0),
        total: lines.reduce((sum, line) => sum + line.count * line.price, 0),
      }
    },
    put(visitor, piece, count) {
      const counts = baskets.get(visitor) ?? new Map<string, number>()
      const next = Math.min(piece.stock, (counts.get(piece.slug) ?? 0) + count)
      if (next > 0) counts.set(piece.slug, next)
      else counts.delete(piece.slug)
      baskets.delete(visitor)
      baskets.set(visitor, counts)
      const [oldest] = baskets.keys()
      if (baskets.size > MAX_BASKETS && oldest !== undefined) baskets.delete(oldest)
    },
    order(visitor) {
      baskets.delete(visitor)
      return `LH-${String(++orders).padStart(4, '0')}`
    },
  }
}

/** The language that the reader prefers among those that the shop speaks; English when it is neither (RFC 9110 §12.5.4). */
export function preferredLanguage(acceptLanguage: string | undefined): Language {
  const wishes = (acceptLanguage ?? '').split(',').map((wish) => {
    const [range = '', ...parameters] = wish.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    return { language: range.split('-')[0], quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
  })
  const quality = (language: Language) =>
    Math.max(0, ...wishes.filter((wish) => wish.language === language).map((wish) => wish.quality))
  return quality('de') > quality('en') ? 'de' : 'en'
}
