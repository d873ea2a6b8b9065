import type { HeaderList } from '../http/message.ts'
import type { OpenChannel } from '../ports/channel.ts'
import type { Cipher } from '../ports/cipher.ts'
import type { Idle } from '../ports/idle.ts'
import type { WatchLifecycle } from '../ports/lifecycle.ts'
import type { Locks } from '../ports/locks.ts'
import type { Random } from '../ports/random.ts'
import type { Transport } from '../ports/transport.ts'
import { openBroadcastChannel } from './broadcast-channel.ts'
import { pageLifecycle } from './page-lifecycle.ts'
import { webLocks } from './web-locks.ts'

/** What the cache needs to know of where it runs. */
export interface Platform {
  /** The platform's fetch as it is now: an APM tool or a mock may replace it at any time. */
  fetch(): Transport
  readonly random: Random
  /** Where relative URLs start now (a page may navigate without loading): the document or the worker's script; `undefined` where there is none. */
  base(): string | undefined
  /** Our own origin; `undefined` where every origin counts as the same (no document, no worker). */
  readonly origin: string | undefined
  /** Whether a browser's own HTTP cache lies between us and the network. */
  readonly browserCache: boolean
  /** Request fields that the browser adds below script, and that are constant in this profile. */
  readonly impliedFields: HeaderList
  /** The factory of databases, where there is one that may be touched (a sandboxed frame's throws). */
  databases(): IDBFactory | undefined
  readonly keyRange: typeof IDBKeyRange
  /** What encrypts, where there is something: only secure contexts have it. */
  cipher(): Cipher | undefined
  /** Reaches the other contexts of this profile, where there can be some. */
  readonly openChannel: OpenChannel
  locks(): Locks | undefined
  readonly watchLifecycle: WatchLifecycle
  /** Whether the user saves data, or does not look: then nothing is done that nobody waits for. */
  isQuiet(): boolean
  /** Whether there may be a network: `false` is sure, `true` is not (HTML, navigator.onLine). */
  isOnline(): boolean
  /** Says when the page has nothing to do, where somebody knows (not in Safari, nor in workers). */
  readonly idle: Idle | undefined
  /** Where a page registers service workers, where it may (a sandboxed frame's navigator throws). */
  workers(): ServiceWorkerContainer | undefined
  /** Whether a service worker may see what is sent from here: one controls this page, or this is a worker, which mostly cannot tell. Never in a service worker itself. */
  isControlled(): boolean
  /** Shows an error that no caller waits for, as the platform does for uncaught ones. */
  report(error: unknown): void
}

/** Looks around once. Every global may be missing. */
export function platform(): Platform {
  const { document, location, navigator } = globalThis as Partial<typeof globalThis>
  // Node has a navigator, too; only where there is a location is there a browser.
  const origin = location?.origin
  const languages = navigator?.languages?.join()
  return {
    fetch: () => globalThis.fetch,
    random: () => Math.random(),
    base: () => document?.baseURI ?? location?.href,
    // A sandboxed frame's or a file's origin is no origin that anything could be the same as.
    origin,
    browserCache: origin !== undefined,
    impliedFields:
      origin === undefined || !navigator
        ? []
        : [
            ...(languages ? [['accept-language', languages] as const] : []),
            ['user-agent', navigator.userAgent] as const,
          ],
    databases() {
      try {
        return globalThis.indexedDB
      } catch {
        return undefined
      }
    },
    get keyRange() {
      return globalThis.IDBKeyRange
    },
    cipher() {
      const { crypto } = globalThis
      return crypto?.subtle && { subtle: crypto.subtle, fillRandom: (bytes) => crypto.getRandomValues(bytes) }
    },
    // Node has channels, too, for its own threads.
    openChannel: (name, onMessage) => (origin === undefined ? undefined : openBroadcastChannel(name, onMessage)),
    locks: () => (origin === undefined ? undefined : webLocks()),
    watchLifecycle: pageLifecycle,
    isQuiet: () =>
      document?.visibilityState === 'hidden' ||
      (navigator as { connection?: { saveData?: boolean } } | undefined)?.connection?.saveData === true,
    isOnline: () => navigator?.onLine !== false,
    idle:
      typeof requestIdleCallback === 'function'
        ? (signal) =>
            new Promise((resolve, reject) => {
              const stop = () => {
                cancelIdleCallback(waiting)
                reject(signal.reason)
              }
              const waiting = requestIdleCallback(() => {
                signal.removeEventListener('abort', stop)
                resolve()
              })
              signal.addEventListener('abort', stop)
            })
        : undefined,
    workers,
    isControlled: () =>
      workers() ? workers()?.controller != null : 'WorkerGlobalScope' in globalThis && !('registration' in globalThis),
    report(error) {
      if (typeof reportError === 'function') reportError(error)
      else queueMicrotask(() => Promise.reject(error))
    },
  }
}

function workers(): ServiceWorkerContainer | undefined {
  try {
    return globalThis.navigator?.serviceWorker
  } catch {
    return undefined
  }
}
