import type { CacheOptions } from '../engine/options.ts'
import type { Platform } from '../platform/platform.ts'
import type { Clock } from '../ports/clock.ts'
import type { Idle } from '../ports/idle.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoreNotice } from '../ports/store.ts'
import { createIndexedDbStore } from '../stores/indexeddb.ts'
import { lazyStore } from '../stores/lazy.ts'

/** What encrypts. */
export type Encryption = typeof import('../stores/encrypted.ts')

/** What a durable store is made with. */
export interface DurableStoreParts {
  readonly here: Platform
  readonly clock: Clock
  readonly random: Random
  readonly idle: Idle
  readonly maxBytes: number
  readonly maxEntryBytes: number
  readonly encryption: Encryption | undefined
  onNotice(notice: StoreNotice): void
}

/** What outlives the page: the caller's own store, or IndexedDB where there is one. `undefined`: memory alone. */
export function durableStore(
  { store: choice = 'auto', name = 'nearcache', disk }: CacheOptions,
  { here, clock, random, idle, maxBytes, maxEntryBytes, encryption, onNotice }: DurableStoreParts,
): Store | undefined {
  if (typeof choice === 'object') return choice
  const factory = here.databases()
  if (choice === 'memory' || !factory) return undefined
  const { keyRange } = here
  const openStore = (told: (notice: StoreNotice) => void) =>
    createIndexedDbStore({
      name,
      factory,
      keyRange,
      clock,
      random,
      maxBytes,
      maxEntryBytes,
      idle,
      onNotice: told,
    })
  if (!disk?.encrypt) {
    const store = openStore(onNotice)
    // It opens while the page makes itself ready: after a reload that is half of what the first answer waits for.
    store.prepare()
    return store
  }
  // Only who asks for it loads it.
  return lazyStore(async () => {
    const cipher = here.cipher()
    if (!cipher) throw new DOMException('disk.encrypt needs a secure context (https)', 'NotSupportedError')
    const { createKeyRing, encryptedStore, plainNotice } = encryption ?? (await import('../stores/encrypted.ts'))
    const store = openStore((notice) => onNotice(plainNotice(notice)))
    const keys = createKeyRing({ name, factory, clock, subtle: cipher.subtle })
    return encryptedStore(store, keys, { ...cipher, onNotice })
  }, clock)
}
