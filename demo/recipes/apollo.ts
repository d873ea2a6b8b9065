import { HttpLink } from '@apollo/client'
import type { NearCache } from 'nearcache'

/** Apollo Client in front of nearcache: queries go out by GET, so that HTTP can cache them; mutations by POST, which invalidates what they change. */
export const linkOver = (cache: NearCache, uri: string) =>
  new HttpLink({ uri, fetch: cache.fetch, useGETForQueries: true })
