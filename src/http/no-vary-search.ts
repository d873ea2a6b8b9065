import { parseDictionary } from './structured-fields.ts'
import { withoutFragment } from './url.ts'

/** Which parts of a URL's query mean nothing, as `No-Vary-Search` says. */
export interface NoVarySearch {
  /** Whether the order of parameters means nothing. */
  readonly ignoresOrder: boolean
  readonly keys: readonly string[]
  /** `except`: the keys alone mean something. `params`: they mean nothing. */
  readonly kind: 'params' | 'except'
}

/**
 * Parses `No-Vary-Search` (HTTP working group draft of May 2026).
 *
 * Strict, since each mistake would share responses between URLs that differ: a value of a wrong type, `params` beside `except`,
 * or a key that does not decode give the default, an exact comparison. The draft's algorithm does so for `key-order` alone too, against its own
 * examples; we follow the examples, which say what an origin means that sends it.
 *
 * @returns `undefined` for the default: URLs must be equal
 */
export function parseNoVarySearch(value: string): NoVarySearch | undefined {
  const said = parseDictionary(value)
  const order = said?.get('key-order') ?? { type: 'boolean', value: false }
  const kind = said?.has('except') ? 'except' : 'params'
  const list = said?.get(kind) ?? { type: 'list', value: [] }
  if (order.type !== 'boolean' || list.type !== 'list' || (kind === 'except' && said?.has('params'))) return undefined
  if (list.value.some(({ type }) => type !== 'string')) return undefined
  const keys = list.value.map(({ value }) => decodedKey(String(value)))
  const isDefault = !order.value && kind === 'params' && keys.length === 0
  return isDefault || keys.some((key) => key.includes('\ufffd')) ? undefined : { ignoresOrder: order.value, keys, kind }
}

/** A key as a query is decoded: `+` is a space, then percent-decoding, then UTF-8. What separates parameters is part of the key here. */
const decodedKey = (key: string): string =>
  [...new URLSearchParams(key.replace(/[&=?]/g, encodeURIComponent)).keys()][0] ?? ''

/** One URL for all that are equivalent under `rule`. Everything before the query is part of it as it is. */
export function searchKey(url: string, { ignoresOrder, keys, kind }: NoVarySearch): string {
  const [path, ...rest] = withoutFragment(url).split('?')
  const pairs = [...new URLSearchParams(rest.join('?'))]
  const named = new Set(keys)
  const kept = new URLSearchParams(pairs.filter(([name]) => named.has(name) === (kind === 'except')))
  if (ignoresOrder) kept.sort()
  return kept.size > 0 ? `${path}?${kept}` : (path as string)
}

/** Whether two URLs ask for the same by the words of a stored response's `No-Vary-Search`. Without a rule: whether they are equal. */
export const areEquivalent = (a: string, b: string, rule: NoVarySearch | undefined): boolean =>
  rule ? searchKey(a, rule) === searchKey(b, rule) : withoutFragment(a) === withoutFragment(b)
