import type { Store } from '../ports/store.ts'

/** A store that is made when it is first used, for what not every page needs. When it can not be made, each use fails with the reason, and the next one tries again. */
export function lazyStore(make: () => Promise<Store>): Store {
  let making: Promise<Store> | undefined
  function made(): Promise<Store> {
    making ??= make()
    making.catch(() => {
      making = undefined
    })
    return making
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
      await (await making?.catch(() => undefined))?.close?.()
    },
  }
}
