import { isFoundBy, type Language, type Piece, pieces, workshop } from './catalogue.ts'
import { pictures } from './pictures.ts'
import type { EpochMs, Shop } from './shop.ts'

/** A request, as far as a route cares. */
export interface Call {
  readonly shop: Shop
  readonly visitor: string
  readonly language: Language
  /** What the placeholder in the route's path stood for. */
  readonly name: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly now: EpochMs
}

/** What a route answers: a value that becomes JSON, or bytes of some type. */
export interface Answer {
  readonly status?: number
  readonly json?: unknown
  readonly bytes?: { readonly content: Buffer; readonly type: string }
  /** When it last changed, for `Last-Modified`. */
  readonly changedAt?: EpochMs
  /** Fields beside those of the route's policy, which they replace. */
  readonly headers?: Readonly<Record<string, string>>
}

/** How the answers of a route may be cached. The origin adds `Date`, `ETag`, `Content-Length` and `Content-Language`. */
interface Policy {
  readonly 'Cache-Control'?: string
  readonly Vary?: string
  readonly 'Cache-Tag'?: string
  readonly 'Cache-Groups'?: string
  readonly 'No-Vary-Search'?: string
}

const DAY = 86_400_000

/** One line of the table below. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** May end in one placeholder, `:name`. */
  readonly path: string
  readonly policy: Policy
  /** Whether the answer gets an `ETag`, so that a cache can ask "still the same?" and be told so in a few bytes. */
  readonly etag?: boolean
  /** Whether the answer is written in the reader's language. */
  readonly spoken?: boolean
  answer(call: Call): Answer
}

/** A good API has an answer to "how long is this true?" for each of its routes. This is ours. */
export const routes: readonly Route[] = [
  {
    // The list may be ten seconds old. For another minute it is shown at once and refreshed behind (RFC 5861 §3), and when we are down,
    // ten minutes old is better than nothing (§4). One URL in two languages: Vary. The tags let a purge find it.
    method: 'GET',
    path: '/api/products',
    policy: {
      'Cache-Control': 'max-age=10, stale-while-revalidate=60, stale-if-error=600',
      Vary: 'Accept-Language',
      'Cache-Tag': 'products, lists',
    },
    etag: true,
    spoken: true,
    answer: ({ shop, language }) => ({ json: pieces.map((piece) => inShort(piece, shop, language)) }),
  },
  {
    // The same list for the side-by-side page, where nobody wants to wait a minute for a lifetime to end.
    method: 'GET',
    path: '/api/window',
    policy: {
      'Cache-Control': 'max-age=3, stale-while-revalidate=3, stale-if-error=600',
      Vary: 'Accept-Language',
      'Cache-Tag': 'products, lists',
    },
    etag: true,
    spoken: true,
    answer: ({ shop, language }) => ({ json: pieces.map((piece) => inShort(piece, shop, language)) }),
  },
  {
    // A price is true for five seconds; then the page still opens at once while the price is checked.
    method: 'GET',
    path: '/api/products/:name',
    policy: {
      'Cache-Control': 'max-age=5, stale-while-revalidate=30, stale-if-error=3600',
      Vary: 'Accept-Language',
      'Cache-Tag': 'products',
    },
    etag: true,
    spoken: true,
    answer: ({ shop, language, name }) => {
      const piece = pieces.find(({ slug }) => slug === name)
      if (!piece) return notFound(language)
      const { text, size, kind } = piece
      return {
        json: { ...inShort(piece, shop, language), text: text[language], size: size[language], kind },
        changedAt: shop.changedAt,
        headers: { 'Cache-Tag': `products, product-${name}` },
      }
    },
  },
  {
    // The name carries a hash of the content, so what it names never changes: a year, and no questions on reload (RFC 8246).
    method: 'GET',
    path: '/api/pictures/:name',
    policy: { 'Cache-Control': 'public, max-age=31536000, immutable' },
    answer: ({ language, name }) => {
      const picture = [...pictures.values()].find(({ path }) => path === `/api/pictures/${name}`)
      return picture ? { bytes: { content: picture.content, type: 'image/svg+xml' } } : notFound(language)
    },
  },
  {
    // `from` only tells our statistics where the search began, and the order of parameters means nothing: No-Vary-Search says so,
    // and a search from a link and the same search from the box share one answer.
    method: 'GET',
    path: '/api/search',
    policy: {
      'Cache-Control': 'max-age=30, stale-while-revalidate=120, stale-if-error=600',
      Vary: 'Accept-Language',
      'Cache-Tag': 'products, lists',
      'No-Vary-Search': 'key-order, params=("from")',
    },
    etag: true,
    spoken: true,
    answer: ({ shop, language, query }) => {
      const words = (query.get('q') ?? '').trim().slice(0, 100)
      const found = words === '' ? [] : pieces.filter((piece) => isFoundBy(piece, words))
      return { json: found.map((piece) => inShort(piece, shop, language)) }
    },
  },
  {
    // Today's offer is a promise. must-revalidate: once stale it is never shown without asking us, not even when we are down.
    method: 'GET',
    path: '/api/offer',
    policy: {
      'Cache-Control': 'max-age=15, must-revalidate',
      Vary: 'Accept-Language',
      'Cache-Tag': 'offer',
    },
    etag: true,
    spoken: true,
    answer: ({ shop, language, now }) => {
      const piece = pieces[Math.floor(now / DAY) % pieces.length] as Piece
      return { json: { ...inShort(piece, shop, language), reduced: Math.round((shop.price(piece) * 0.85) / 10) * 10 } }
    },
  },
  {
    // Comes from an old system that sends no lifetime. Last-Modified is all there is, and a cache may take a tenth of its age
    // as a lifetime (RFC 9111 §4.2.2).
    method: 'GET',
    path: '/api/workshop',
    policy: { Vary: 'Accept-Language' },
    spoken: true,
    answer: ({ shop, language }) => ({ json: workshop[language], changedAt: shop.openedAt - 40 * DAY }),
  },
  {
    // For this visitor alone. It counts the pieces in the basket, so it is in the basket's group: when the basket changes, so does
    // the greeting (RFC 9875).
    method: 'GET',
    path: '/api/greeting',
    policy: {
      'Cache-Control': 'private, max-age=30, stale-if-error=86400',
      Vary: 'Accept-Language, Cookie',
      'Cache-Groups': '"basket"',
    },
    spoken: true,
    answer: ({ shop, visitor, language }) => {
      const { count } = shop.basket(visitor)
      return { json: { text: greeting(language, count) } }
    },
  },
  {
    // The basket is asked for every time (no-cache), but comes again only when it has changed: that is what the ETag is for.
    method: 'GET',
    path: '/api/basket',
    policy: { 'Cache-Control': 'private, no-cache', Vary: 'Cookie', 'Cache-Groups': '"basket"' },
    etag: true,
    answer: ({ shop, visitor }) => ({ json: shop.basket(visitor) }),
  },
  {
    // A write says what it has made untrue: the basket by Location (RFC 9111 §4.4), everything else that shows it by its group
    // (RFC 9875 §3).
    method: 'POST',
    path: '/api/basket/lines',
    policy: { 'Cache-Control': 'no-store' },
    answer: ({ shop, visitor, language, body }) => {
      const { slug, count } = body as { slug?: unknown; count?: unknown }
      const piece = pieces.find((one) => one.slug === slug)
      if (!piece) return notFound(language)
      if (typeof count !== 'number' || !Number.isInteger(count) || Math.abs(count) > 99) {
        return { status: 422, json: { message: 'count must be an integer from -99 to 99' } }
      }
      shop.put(visitor, piece, count)
      return {
        status: 201,
        json: shop.basket(visitor),
        headers: { Location: '/api/basket', 'Cache-Group-Invalidation': '"basket"' },
      }
    },
  },
  {
    // Nothing about an order is kept anywhere.
    method: 'POST',
    path: '/api/checkout',
    policy: { 'Cache-Control': 'no-store' },
    answer: ({ shop, visitor }) => {
      if (shop.basket(visitor).count === 0) return { status: 409, json: { message: 'The basket is empty' } }
      return {
        status: 201,
        json: { order: shop.order(visitor) },
        headers: { 'Content-Location': '/api/basket', 'Cache-Group-Invalidation': '"basket"' },
      }
    },
  },
  {
    // How many are on the shelf is true now, and not a second later.
    method: 'GET',
    path: '/api/stock/:name',
    policy: { 'Cache-Control': 'no-store' },
    answer: ({ shop, visitor, language, name }) => {
      const piece = pieces.find(({ slug }) => slug === name)
      if (!piece) return notFound(language)
      const taken = shop.basket(visitor).lines.find(({ slug }) => slug === name)?.count ?? 0
      return { json: { left: piece.stock - taken } }
    },
  },
]

/** The path of a route that does not exist is answered like a piece that does not. */
export const elsewhere: Route = {
  method: 'GET',
  path: '',
  policy: {},
  spoken: true,
  answer: ({ language }) => notFound(language),
}

/** "There is no such thing" is an answer as well, and may be remembered for a while: it spares us a crawler's repeated questions. */
function notFound(language: Language): Answer {
  const message = { en: 'We do not have this piece.', de: 'Dieses Stück haben wir nicht.' }[language]
  return {
    status: 404,
    json: { message },
    headers: { 'Cache-Control': 'max-age=10', Vary: 'Accept-Language' },
  }
}

/** A piece as lists show it. */
function inShort(piece: Piece, shop: Shop, language: Language) {
  return {
    slug: piece.slug,
    name: piece.name[language],
    glaze: piece.glaze[language],
    price: shop.price(piece),
    picture: pictures.get(piece.slug)?.path,
  }
}

/** Mara is signed in. */
function greeting(language: Language, count: number): string {
  if (language === 'de') {
    if (count === 0) return 'Schön, dass Sie da sind, Mara.'
    return count === 1 ? 'Mara, ein Stück wartet in Ihrem Korb.' : `Mara, ${count} Stücke warten in Ihrem Korb.`
  }
  if (count === 0) return 'Good to see you, Mara.'
  return count === 1 ? 'Mara, one piece waits in your basket.' : `Mara, ${count} pieces wait in your basket.`
}
