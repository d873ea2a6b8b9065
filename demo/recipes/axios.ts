import axios from 'axios'
import type { NearCache } from 'nearcache'

/** axios in front of nearcache, by its fetch adapter. */
export const axiosOver = (cache: NearCache, baseURL: string) =>
  axios.create({ baseURL, adapter: 'fetch', env: { fetch: cache.fetch } })
