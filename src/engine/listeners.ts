import type { CacheEvent, EventSink } from '../ports/event-sink.ts'
import { createKeyedListeners, type KeyedListeners } from './keyed-listeners.ts'
import type { Place } from './presented.ts'

/** A session that may end while its events are told. */
interface Ending {
  readonly over?: DOMException
}

/** Who listens, to everything or to one key, and how they are told. */
export interface Listeners {
  /** To everything. Returns the function that ends it. */
  on(listener: EventSink): () => void
  readonly keyed: KeyedListeners
  /** Whether anybody listens to everything. */
  hears(): boolean
  /** Tells who listens to everything. When a listener ends the session `about` which it is, the others hear no more of it. */
  announce(event: CacheEvent, about?: Ending): void
  /** Tells some who listen to a key. */
  tell(some: Iterable<EventSink>, event: CacheEvent, about?: Ending): void
  /** Tells everyone: what concerns no request, and each. */
  announceToEach(event: CacheEvent): void
}

/** @param report - is told what a listener throws; the others hear the event all the same */
export function createListeners(placeNow: () => Place, report: (error: unknown) => void): Listeners {
  const all = new Set<EventSink>()
  const keyed = createKeyedListeners(placeNow)

  const tell: Listeners['tell'] = (some, event, about) => {
    const told = copyOf(event)
    for (const listener of [...some]) {
      if (about?.over) return
      try {
        listener(told)
      } catch (error) {
        report(error)
      }
    }
  }
  const announce: Listeners['announce'] = (event, about) => {
    if (all.size > 0) tell(all, event, about)
  }

  return {
    on(listener) {
      // Whoever ends it inside an event hears no more of that one either.
      const mine: EventSink = (event) => all.has(mine) && listener(event)
      all.add(mine)
      return () => {
        all.delete(mine)
      }
    },
    keyed,
    hears: () => all.size > 0,
    announce,
    tell,
    announceToEach(event) {
      announce(event)
      tell(
        keyed.where(() => true),
        event,
      )
    },
  }
}

/** Hits of one moment share what is told of them, and how it was decided: what a listener writes into it must not become true of the next one. In development nobody can write. */
const copyOf = (event: CacheEvent): CacheEvent =>
  event.type !== 'answered' || Object.isFrozen(event)
    ? event
    : { ...event, ...(event.numbers && { numbers: { ...event.numbers } }) }
