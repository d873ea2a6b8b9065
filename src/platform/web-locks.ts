import type { Locks } from '../ports/locks.ts'

/** The platform's Web Locks; `undefined` where there are none: outside secure contexts, and in Node before 24. */
export function webLocks(): Locks | undefined {
  const { navigator } = globalThis as Partial<typeof globalThis>
  const locks = navigator?.locks as LockManager | undefined
  return (
    locks && {
      request: (name, { ifAvailable, signal }, work) =>
        locks.request(
          name,
          // Given both, the platform throws.
          { ...(ifAvailable ? { ifAvailable } : signal && { signal }) },
          (lock) => work(lock !== null),
        ) as ReturnType<typeof work>,
    }
  )
}
