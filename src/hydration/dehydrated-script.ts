import type { Dehydrated } from '../engine/api.ts'
import { CacheError } from '../errors.ts'

/** The type of the script elements that carry a state: data, which no browser executes. */
const TYPE = 'application/nearcache+json'

/** How a state is marked as the server's own. */
export interface ScriptOptions {
  /** The page's Content-Security-Policy nonce: what carries another one, or none, is not read. A fresh random text for each page; base64 characters. */
  readonly nonce?: string | undefined
}

/**
 * What `dehydrate()` gave, as an element for the page. No text in a response can end the element or begin another one.
 *
 * @throws CacheError with code `option` when the nonce has other characters than a nonce may have
 * @see the HTML standard, "Restrictions for contents of script elements"
 */
export function dehydratedScript(state: Dehydrated, { nonce }: ScriptOptions = {}): string {
  if (nonce !== undefined && !/^[\w+/-]+={0,2}$/.test(nonce))
    throw new CacheError('option', `A nonce is base64 text, not ${JSON.stringify(nonce)}`, { path: 'nonce' })
  const json = JSON.stringify(state).replace(/[<>&\u2028\u2029]/g, escaped)
  return `<script type="${TYPE}"${nonce === undefined ? '' : ` nonce="${nonce}"`}>${json}</script>`
}

const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * Everything that `dehydratedScript()` has put into this page, for `hydrate()`. Looks at script elements of its own type alone, never at an id or a name, which any markup could take; a state that is
 * damaged or of another version is left out, since a page can always ask its origin.
 */
export function readDehydrated({ nonce }: ScriptOptions = {}): Dehydrated {
  const { document, Document, HTMLScriptElement } = globalThis as Partial<typeof globalThis>
  if (!document || !Document || !HTMLScriptElement) return { v: 1, responses: [] }
  // A method called on the document itself could be an element with that name.
  const found: Iterable<Element> = Document.prototype.querySelectorAll.call(document, `script[type="${TYPE}"]`)
  const states = [...found].map((element) =>
    element instanceof HTMLScriptElement && (nonce === undefined || element.nonce === nonce)
      ? parsed(element.textContent ?? '')
      : undefined,
  )
  return { v: 1, responses: states.flatMap((state) => state?.responses ?? []) }
}

function parsed(text: string): Dehydrated | undefined {
  try {
    const state = JSON.parse(text) as Partial<Dehydrated> | null
    return state?.v === 1 && Array.isArray(state.responses) ? (state as Dehydrated) : undefined
  } catch {
    return undefined
  }
}
