import type { Locks } from '../ports/locks.ts'

/** Web Locks, where there are some: in secure contexts of a browser. */
export function webLocks(): Locks | undefined {
  const manager = globalThis.navigator?.locks as LockManager | undefined
  if (!manager?.request) return undefined
  return {
    request: (name, { ifAvailable, steal, signal }, work) =>
      // In an opaque origin it throws, where it should reject.
      new Promise((resolve, reject) => {
        // Given more than one of them, the platform throws.
        const options = ifAvailable ? { ifAvailable } : steal ? { steal } : { ...(signal && { signal }) }
        manager.request(name, options, (lock) => work(lock !== null)).then(resolve, reject)
      }),
  }
}
