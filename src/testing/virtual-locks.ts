import type { Locks } from '../ports/locks.ts'

/** Runs something in a context when that can run: later when it is frozen, never when it is dead. */
export type Deliver = (task: () => void) => void

interface Request {
  readonly owner: object
  grant(): void
  reject(reason: unknown): void
}

/** Web Locks for several contexts in one process. */
export interface VirtualLocks {
  /** The locks as one context has them. A lock can be granted to a frozen context, which then holds it without knowing. */
  of(owner: object, deliver: Deliver): Locks
  /** The context has ended: what it holds is free, and it waits for nothing. */
  drop(owner: object): void
  /** Names of the locks that are held. */
  held(): string[]
}

/** @see Web Locks API, section 4 (algorithms): first come first served for each name */
export function virtualLocks(): VirtualLocks {
  const holders = new Map<string, Request>()
  const queues = new Map<string, Request[]>()
  const queueOf = (name: string) => {
    const queue = queues.get(name) ?? []
    queues.set(name, queue)
    return queue
  }

  function goOn(name: string): void {
    const next = holders.has(name) ? undefined : queueOf(name).shift()
    if (!next) return
    holders.set(name, next)
    next.grant()
  }

  function release(name: string, request: Request): void {
    if (holders.get(name) !== request) return
    holders.delete(name)
    goOn(name)
  }

  return {
    of: (owner, deliver) => ({
      request: (name, { ifAvailable, steal, signal }, work) =>
        new Promise((resolve, reject) => {
          const end = () => release(name, request)
          const begin = (isGranted: boolean) =>
            deliver(() => {
              work(isGranted).then(resolve, reject).finally(end)
            })
          const request: Request = { owner, reject, grant: () => begin(true) }
          if (signal?.aborted) return reject(signal.reason)
          if (ifAvailable && (holders.has(name) || queueOf(name).length > 0)) return begin(false)
          if (steal) {
            holders.get(name)?.reject(new DOMException('The lock was stolen', 'AbortError'))
            holders.set(name, request)
            return request.grant()
          }
          queueOf(name).push(request)
          signal?.addEventListener('abort', () => {
            const queue = queueOf(name)
            const place = queue.indexOf(request)
            if (place < 0) return
            queue.splice(place, 1)
            deliver(() => reject(signal.reason))
          })
          goOn(name)
        }),
    }),
    drop(owner) {
      for (const [name, queue] of queues)
        queues.set(
          name,
          queue.filter((one) => one.owner !== owner),
        )
      for (const [name, one] of [...holders]) if (one.owner === owner) release(name, one)
    },
    held: () => [...holders.keys()],
  }
}
