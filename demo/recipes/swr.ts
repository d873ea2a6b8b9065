import type { NearCache } from 'nearcache'
import type { SWRConfiguration } from 'swr'

/** SWR in front of nearcache: `<SWRConfig value={swrOver(cache)}>`. It may revalidate as often as it likes; the headers decide whether the origin is asked. */
export const swrOver = (cache: NearCache): SWRConfiguration => ({ fetcher: (url: string) => cache.json(url) })
