import { promisifyRequest } from 'idb-keyval'
import type { CacheKey } from '../ports/store.ts'
import { routeKey, visitedKey } from './database-keys.ts'
import { isTexts, type Route } from './stored-record.ts'

/** A key that was not there before, and of which route it is. */
export interface Newcomer {
  readonly partition: string
  readonly key: CacheKey
  readonly route: Route
}

/**
 * Keeps the keys of each route within their number. The keys lie in a list in the order in which they came; of the first ones, what was used since loses its visited bit and goes to the end,
 * what was not is removed. A list may name keys that are gone: they are the first to leave it.
 */
export async function keepWithinRoutes(
  objects: IDBObjectStore,
  newcomers: readonly Newcomer[],
  remove: (partition: string, key: CacheKey, route: string) => Promise<void>,
): Promise<void> {
  for (const { partition, key, route } of newcomers) {
    const place = routeKey(partition, route.name)
    const found = await promisifyRequest<unknown>(objects.get(place))
    const isKey = (one: CacheKey) => JSON.stringify(one) === JSON.stringify(key)
    const keys: CacheKey[] = (Array.isArray(found) ? found : []).filter((one) => isTexts(one) && !isKey(one))
    keys.push(key)
    let turns = keys.length
    while (keys.length > route.maxKeys) {
      const first = keys.shift() as CacheKey
      const bit = visitedKey(partition, first)
      const wasUsed = turns-- > 0 && (await promisifyRequest<unknown>(objects.get(bit))) !== undefined
      objects.delete(bit)
      if (wasUsed) keys.push(first)
      else await remove(partition, first, route.name)
    }
    objects.put(keys, place)
  }
}
