import type { CacheEvent } from '../ports/event-sink.ts'
import type { CacheKey } from '../ports/store.ts'
import { type Place, type Presented, rekeyed } from './presented.ts'

type Listener = (event: CacheEvent) => void

/** Who listens to one key. */
export interface KeyedListeners {
  /** Returns the function that ends it. */
  add(presented: Presented, listener: Listener): () => void
  of(key: CacheKey): readonly Listener[]
  where(holds: (presented: Presented) => boolean): readonly Listener[]
  /** What is looked at, each key once. */
  requests(holds: (presented: Presented) => boolean): readonly Presented[]
}

/** Listeners by key. When it is learned that other URLs mean the same (`No-Vary-Search`), and when another partition is entered, they move to the key that they have then. */
export function createKeyedListeners(placeNow: () => Place): KeyedListeners {
  interface Subscription {
    presented: Presented
    readonly listener: Listener
  }
  let byKey = new Map<string, Set<Subscription>>()
  let seen: Pick<Place, 'keys'> | undefined
  let version = 0

  const nameOf = (key: CacheKey) => JSON.stringify(key)
  function put(subscription: Subscription): void {
    const name = nameOf(subscription.presented.key)
    byKey.set(name, (byKey.get(name) ?? new Set()).add(subscription))
  }
  function upToDate() {
    const place = placeNow()
    if (seen === place && version === place.keys.version()) return byKey
    seen = place
    version = place.keys.version()
    const all = [...byKey.values()].flatMap((some) => [...some])
    byKey = new Map()
    for (const subscription of all) {
      subscription.presented = rekeyed(subscription.presented, place)
      put(subscription)
    }
    return byKey
  }
  const listenersOf = (some: Iterable<Subscription> = []) => [...some].map(({ listener }) => listener)

  return {
    add(presented, listener) {
      const subscription = { presented, listener }
      upToDate()
      put(subscription)
      return () => {
        const name = nameOf(subscription.presented.key)
        const some = byKey.get(name)
        if (some?.delete(subscription) && some.size === 0) byKey.delete(name)
      }
    },
    of: (key) => (byKey.size > 0 ? listenersOf(upToDate().get(nameOf(key))) : []),
    requests: (holds) =>
      [...upToDate().values()].flatMap((some) => [...some].slice(0, 1).map(({ presented }) => presented)).filter(holds),
    where: (holds) =>
      [...upToDate().values()].flatMap((some) => listenersOf([...some].filter(({ presented }) => holds(presented)))),
  }
}
