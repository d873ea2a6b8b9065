import ky from 'ky'
import type { NearCache } from 'nearcache'

/** ky in front of nearcache. */
export const kyOver = (cache: NearCache, prefixUrl: string) => ky.create({ prefixUrl, fetch: cache.fetch })
