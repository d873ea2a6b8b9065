import { createContext, useContext, useEffect, useState } from 'react'
import { cache } from './cache.ts'
import { LanguageContext } from './language.ts'

/** What a part of the page shows: the data, if there is any, and the error, if the last attempt failed. Both, when it was read before. */
export interface Resource<T> {
  readonly data?: T
  readonly error?: unknown
  /** Reads it again. */
  again(): void
}

/** Counts visits: with each one, everything on the page is read again, as if the visitor had just come. */
export const VisitContext = createContext(0)

/**
 * Reads JSON through the cache and stays with it: what memory holds is there at the first paint, and what a refresh brings is shown when
 * it is there. (A later release has this as a hook of its own.)
 */
export function useResource<T>(path: string): Resource<T> {
  const language = useContext(LanguageContext)
  const visit = useContext(VisitContext)
  const [attempt, setAttempt] = useState(0)
  const id = `${language} ${path}`
  const [state, setState] = useState(() => ({ id, ...held<T>(path, language) }))
  const shown = state.id === id ? state : { id, ...held<T>(path, language) }

  // biome-ignore lint/correctness/useExhaustiveDependencies: another visit or attempt reads again
  useEffect(() => {
    let gone = false
    const set = (next: { data?: T; error?: unknown }) => !gone && setState({ id, ...next })
    const show = () => {
      const now = held<T>(path, language)
      if ('data' in now) set(now)
    }
    const read = () =>
      cache.json<T>(path, { headers: { 'accept-language': language } }).then(
        (data) => set({ data }),
        (error: unknown) => !gone && setState((last) => ({ ...(last.id === id ? last : { id }), error })),
      )
    const unsubscribe = cache.subscribe(path, ({ type }) => {
      if (type === 'purged') read()
      else if (type === 'stored' || type === 'updated') show()
    })
    read()
    return () => {
      gone = true
      unsubscribe()
    }
  }, [id, path, language, visit, attempt])

  return { ...shown, again: () => setAttempt((count) => count + 1) }
}

function held<T>(path: string, language: string): { data?: T } {
  const peeked = cache.peek<T>(path, { headers: { 'accept-language': language } })
  return peeked ? { data: peeked.data } : {}
}
