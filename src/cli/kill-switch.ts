// The worker that `nearcache sw --kill` writes: takes the place of any other at once, removes what nearcache has stored, and then itself.
import { platform } from '../platform/platform.ts'

declare const NEARCACHE: { readonly name?: string; readonly reload?: boolean }

interface Scope {
  readonly caches?: CacheStorage
  readonly registration: { unregister(): Promise<boolean> }
  readonly clients: {
    matchAll(options: {
      type: 'window'
    }): Promise<readonly { readonly url: string; navigate(url: string): Promise<unknown> }[]>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: string, listener: (event: { waitUntil(work: Promise<unknown>): void }) => void): void
}

const scope = globalThis as unknown as Scope
const { name = 'nearcache', reload = false } = NEARCACHE

/** A database that a page holds open goes when the page lets go of it: nobody waits for that. */
function forget(database: string): void {
  try {
    platform().databases()?.deleteDatabase(database)
  } catch (error) {
    platform().report(error)
  }
}

async function forgetCaches(): Promise<void> {
  const names = (await scope.caches?.keys()) ?? []
  const own = names.filter((one) => one === `${name}-opaque` || one.startsWith(`${name}-shell-`))
  await Promise.allSettled(own.map((one) => scope.caches?.delete(one)))
}

/** Whatever cannot be removed, the worker is gone: that is what it was written for. */
async function end(): Promise<void> {
  await scope.registration.unregister()
  for (const database of [name, `${name}-keys`, `${name}-purge-feed`]) forget(database)
  await forgetCaches().catch(platform().report)
  if (!reload) return
  // A page that has just been closed is none.
  for (const client of await scope.clients.matchAll({ type: 'window' }))
    await client.navigate(client.url).catch(() => {})
}

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()))
scope.addEventListener('activate', (event) => event.waitUntil(end()))
