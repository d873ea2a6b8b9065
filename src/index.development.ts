import { wireCache } from './create-cache.ts'
import type { NearCache } from './engine/api.ts'
import { LazyResponse } from './engine/lazy-response.ts'
import type { CacheOptions } from './engine/options.ts'
import { isNode } from './platform/is-node.ts'
import { checkOptions } from './validate/check-options.ts'
import { deepFreeze } from './validate/deep-freeze.ts'

/** The same as in production, with every option checked and every parsed body frozen, so that a mistake shows where it is made. */
export const createCache = (options: CacheOptions = {}): NearCache =>
  wireCache(checkOptions(options), { freeze: deepFreeze, LazyResponse: isNode() ? LazyResponse : undefined })

export { trackingParameters } from './engine/tracking-parameters.ts'
export { CacheError } from './errors.ts'
