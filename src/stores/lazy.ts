import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'

/** How long whoever uses it waits for it to be made, in milliseconds. */
const DEADLINE_MS: Ms = 3_000

/** A store that is made when it is first used, for what not every page needs. When it can not be made, or not in time, each use fails with the reason, and the next one tries again. */
export function lazyStore(make: () => Promise<Store>, clock: Clock): Store {
  let making: Promise<Store> | undefined
  let store: Store | undefined
  async function made(): Promise<Store> {
    if (store) return store
    making ??= make()
    making.catch(() => {
      making = undefined
    })
    const timer = new AbortController()
    const late = clock.sleep(DEADLINE_MS, timer.signal).then(() => {
      throw new DOMException(`The store could not be made within ${DEADLINE_MS} ms`, 'TimeoutError')
    })
    late.catch(() => {})
    try {
      store = await Promise.race([making, late])
      return store
    } finally {
      timer.abort()
    }
  }
  return {
    read: async (keys) => (await made()).read(keys),
    update: async (keys, change, options) => (await made()).update(keys, change, options),
    async enter(partition, at) {
      const store = await made()
      if (!store.enter) throw new TypeError('A store that is made lazily needs enter()')
      return store.enter(partition, at)
    },
    async close() {
      // What is still to be made has opened nothing.
      if (making) await (await made().catch(() => undefined))?.close?.()
    },
  }
}
