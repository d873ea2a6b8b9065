import { type FetchResult, useFetch } from 'nearcache/react'
import { useContext } from 'react'
import { LanguageContext } from './language.ts'

/** Reads from the shop's API, in the reader's language, and stays with it. */
export const useApi = <T>(path: string): FetchResult<T> =>
  useFetch<T>(path, { headers: { 'accept-language': useContext(LanguageContext) } })
