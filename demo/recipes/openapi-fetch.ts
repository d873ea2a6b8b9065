import type { NearCache } from 'nearcache'
import createClient from 'openapi-fetch'

/** openapi-fetch in front of nearcache: `Paths` are the types that openapi-typescript has made of the API's description. */
export const clientOver = <Paths extends object>(cache: NearCache, baseUrl: string) =>
  createClient<Paths>({ baseUrl, fetch: cache.fetch })
