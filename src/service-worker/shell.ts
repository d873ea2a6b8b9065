import { CacheError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Transport } from '../ports/transport.ts'
import type { Shell, ShellFile } from '../validate/worker-options.ts'
import { partOf } from './part-of.ts'
import type { FetchEvent, Scope } from './scope.ts'

/** What is read of it where there is a shell. */
export interface ShellStore {
  /** Fetches everything of this deploy; what an earlier one has already is not fetched again. @throws CacheError with code `worker` when a file cannot be had, or is not that of the list: then nothing is kept of any */
  install(): Promise<void>
  /** A page, or what a page of some deploy is made of, from that very deploy. */
  answer(event: Pick<FetchEvent, 'request' | 'clientId' | 'resultingClientId'>): Promise<Response | undefined>
  /** A page of this deploy for a navigation to somewhere else. */
  fallback(url: string, event: Pick<FetchEvent, 'resultingClientId'>): Promise<Response | undefined>
  /** Removes the deploys whose last page is gone. */
  tidy(): Promise<void>
}

export interface ShellStoreOptions {
  readonly caches: CacheStorage
  readonly subtle: Pick<SubtleCrypto, 'digest'> | undefined
  /** Prefix of the names in Cache Storage. */
  readonly name: string
  readonly shell: Shell
  readonly scope: Pick<Scope, 'clients' | 'location'>
  readonly clock: Clock
  readonly fetch: Transport
}

/** A page that has just been asked for is not among the clients yet, and one in the back/forward cache is not while it is there: so long its deploy is kept for it, in milliseconds. */
const AWAY_MS = 3_600_000

/** How exactly it is written down when a page was last among the clients, in milliseconds. */
const SEEN_MS = 60_000

/** Files fetched at the same time. */
const AT_ONCE = 6

/**
 * Keeps whole deploys in Cache Storage, one cache each, which names no file that is not there. A page has everything from the deploy that it came from itself: the worker writes down which that
 * is, since it may be stopped at any time. A deploy is removed when a later worker is active and no page of it is left, `skipWaiting()` or not.
 */
export function createShellStore({ caches, subtle, name, shell, scope, clock, fetch }: ShellStoreOptions): ShellStore {
  const prefix = `${name}-shell-`
  // No version has such a name.
  const pages = `${prefix}(pages)`
  const own = prefix + shell.version
  const absolute = (url: string): string => escaped(new URL(url, scope.location.href))
  const files = new Map(shell.files.map((file) => [absolute(file.url), file]))
  /** By client, a page or a worker of one: the cache of its deploy, as written down. */
  const known = new Map<string, string>()
  const listUrl = absolute('/nearcache-shell.json')
  const pageUrl = (client: string): string => absolute(`/nearcache-page/${encodeURIComponent(client)}`)

  const deploys = async (): Promise<string[]> =>
    (await caches.keys()).filter((one) => one.startsWith(prefix) && one !== pages)

  /** The same file of an earlier deploy. */
  async function earlier(url: string, { hash }: ShellFile): Promise<Response | undefined> {
    if (!hash) return undefined
    for (const one of await deploys()) {
      const cache = await caches.open(one)
      const list = (await (await cache.match(listUrl))?.json().catch(() => [])) as [string, string?][] | undefined
      if (list?.some((entry) => entry[0] === url && entry[1] === hash)) return cache.match(url)
    }
    return undefined
  }

  async function bring(url: string, file: ShellFile): Promise<Response> {
    const had = await earlier(url, file)
    if (had) return had
    const from = new URL(file.url, scope.location.href)
    const response = await fetch(from, { cache: 'no-cache', credentials: 'same-origin' }).catch((cause: unknown) => {
      throw new CacheError(
        'worker',
        `${file.url} of the app shell could not be fetched, so nothing of it is installed`,
        { cause },
      )
    })
    if (!response.ok)
      throw new CacheError(
        'worker',
        `${file.url} of the app shell answered ${response.status}, so nothing of it is installed`,
      )
    const bytes = await response.arrayBuffer()
    if (file.hash && subtle) {
      const found = `sha256-${base64(await subtle.digest('SHA-256', bytes))}`
      if (found !== file.hash)
        throw new CacheError(
          'worker',
          `${file.url} of the app shell is ${found}, and its list says ${file.hash}: the files are of another deploy than the list. Nothing of it is installed; the next visit tries again`,
        )
    }
    const { status, statusText } = response
    return new Response(bytes, { status, statusText, headers: ofBytes(response.headers) })
  }

  async function isWhole(): Promise<boolean> {
    return (await caches.has(own)) && (await (await caches.open(own)).match(listUrl)) !== undefined
  }

  async function deployOf(client: string): Promise<string | undefined> {
    const found = known.get(client) ?? (await (await (await caches.open(pages)).match(pageUrl(client)))?.json())?.deploy
    if (typeof found !== 'string') return undefined
    known.set(client, found)
    return found
  }

  const writeDown = async (client: string, deploy: string): Promise<void> =>
    (await caches.open(pages)).put(pageUrl(client), Response.json({ deploy, at: clock.now() }))

  /** A file for whom it makes a client that asks for more: of the same deploy. */
  async function fileFor(client: string | undefined, url: string, deploy: string): Promise<Response | undefined> {
    const file = (await caches.has(deploy)) ? await (await caches.open(deploy)).match(url) : undefined
    if (file && client) {
      // Before it asks for anything.
      known.set(client, deploy)
      await writeDown(client, deploy)
    }
    return file
  }

  async function navigate(url: URL, client: string | undefined): Promise<Response | undefined> {
    url.search = ''
    const file = files.has(escaped(url)) ? escaped(url) : shell.page && absolute(shell.page)
    return file ? fileFor(client, file, own) : undefined
  }

  return {
    async install() {
      // A list that changes nothing costs nothing. What has no hash may have changed all the same.
      if ((await isWhole()) && shell.files.every(({ hash }) => hash)) return
      const waiting = [...files]
      const cache = await caches.open(own)
      const work = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) await cache.put(next[0], await bring(...next))
      }
      try {
        await Promise.all(Array.from({ length: AT_ONCE }, work))
        await cache.put(listUrl, Response.json([...files].map(([url, { hash }]) => [url, hash])))
      } catch (error) {
        waiting.length = 0
        // An earlier worker with the same list may still use it.
        if (!(await isWhole())) await caches.delete(own)
        throw error
      }
    },
    async answer({ request, clientId, resultingClientId }) {
      const url = new URL(request.url)
      url.hash = ''
      if (request.mode === 'navigate') return navigate(url, resultingClientId)
      const deploy = clientId ? await deployOf(clientId) : undefined
      if (!deploy || url.origin !== scope.location.origin) return undefined
      const file = await fileFor(resultingClientId, escaped(url), deploy)
      const range = request.headers.get('range')
      return file && range ? partOf(file, range) : file
    },
    fallback: (url, { resultingClientId }) => fileFor(resultingClientId, absolute(url), own),
    async tidy() {
      const now = clock.now()
      const clients = await scope.clients.matchAll({ includeUncontrolled: true, type: 'all' })
      const alive = new Set(clients.map(({ id }) => id))
      const written = await caches.open(pages)
      const used = new Set([own])
      for (const request of await written.keys()) {
        const { deploy, at } = (await (await written.match(request))?.json()) ?? {}
        const client = decodeURIComponent(request.url.split('/').at(-1) ?? '')
        const sinceSeen = Math.abs(now - at)
        if (alive.has(client) || sinceSeen < AWAY_MS) {
          used.add(deploy)
          if (alive.has(client) && !(sinceSeen < SEEN_MS)) await writeDown(client, deploy)
        } else {
          known.delete(client)
          await written.delete(request)
        }
      }
      for (const deploy of await deploys()) if (!used.has(deploy)) await caches.delete(deploy)
    },
  }
}

/** One spelling for all of an address: which characters of a path a list, a server and a page escape differs. */
function escaped({ href, pathname }: URL): string {
  const url = new URL(href)
  try {
    url.pathname = pathname.split('/').map(decodeURIComponent).map(encodeURIComponent).join('/')
  } catch {
    // What is no text is compared as it is.
  }
  return url.href
}

/** The bytes are decoded ones: what says how they were coded and how long they were does not hold for them. They are the file whoever asks, so nothing varies. */
function ofBytes(headers: Headers): Headers {
  const kept = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding', 'vary']) kept.delete(name)
  return kept
}

const base64 = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)))
