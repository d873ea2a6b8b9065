import { CacheError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Transport } from '../ports/transport.ts'
import type { Shell, ShellFile } from '../validate/worker-options.ts'
import type { FetchEvent, Scope } from './scope.ts'

/** What is read of it where there is a shell. */
export interface ShellStore {
  /** Fetches everything of this deploy; what an earlier one has already is not fetched again. @throws CacheError with code `worker` when a file cannot be had, or is not that of the list: then nothing is kept of any */
  install(): Promise<void>
  /** A page, or what a page of some deploy is made of, from that very deploy. */
  answer(event: Pick<FetchEvent, 'request' | 'clientId' | 'resultingClientId'>): Promise<Response | undefined>
  /** A file of this deploy, whoever asks. */
  file(url: string): Promise<Response | undefined>
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

/** A page that has just been asked for is not among the clients yet: so long its deploy is kept for it, in milliseconds. */
const LOADING_MS = 60_000

/** Files fetched at the same time. */
const AT_ONCE = 6

/**
 * Keeps whole deploys in Cache Storage, one cache each, which names no file that is not there. A page has everything from the deploy that it came from itself: the worker writes down which that
 * is, since it may be stopped at any time. A deploy is removed when a later worker is active and no page of it is left, `skipWaiting()` or not.
 */
export function createShellStore({ caches, subtle, name, shell, scope, clock, fetch }: ShellStoreOptions): ShellStore {
  const prefix = `${name}-shell-`
  const pages = `${name}-shell-pages`
  const own = prefix + shell.version
  const absolute = (url: string): string => new URL(url, scope.location.href).href
  const files = new Map(shell.files.map((file) => [absolute(file.url), file]))
  /** By client: the cache of its deploy, as written down. */
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
    const response = await fetch(url, { cache: 'no-cache', credentials: 'same-origin' }).catch((cause: unknown) => {
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
    return new Response(bytes, { status, statusText, headers: withoutCoding(response.headers) })
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

  async function navigate(url: URL, client: string | undefined): Promise<Response | undefined> {
    url.search = ''
    const file = files.has(url.href) ? url.href : shell.page && absolute(shell.page)
    const response = file && (await (await caches.open(own)).match(file))
    if (!response) return undefined
    if (client) {
      // Before the page asks for anything.
      known.set(client, own)
      await (await caches.open(pages)).put(pageUrl(client), Response.json({ deploy: own, at: clock.now() }))
    }
    return response
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
      return (await caches.has(deploy)) ? (await caches.open(deploy)).match(url.href) : undefined
    },
    async file(url) {
      return files.has(absolute(url)) ? (await caches.open(own)).match(absolute(url)) : undefined
    },
    async tidy() {
      const alive = new Set((await scope.clients.matchAll({ includeUncontrolled: true })).map(({ id }) => id))
      const written = await caches.open(pages)
      const used = new Set([own])
      for (const request of await written.keys()) {
        const page = await (await written.match(request))?.json()
        const client = decodeURIComponent(request.url.split('/').at(-1) ?? '')
        if (alive.has(client) || (page && Math.abs(clock.now() - page.at) < LOADING_MS)) used.add(page?.deploy)
        else {
          known.delete(client)
          await written.delete(request)
        }
      }
      for (const deploy of await deploys()) if (!used.has(deploy)) await caches.delete(deploy)
    },
  }
}

/** The bytes are decoded ones: what says how they were coded and how long they were does not hold for them. */
function withoutCoding(headers: Headers): Headers {
  const kept = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) kept.delete(name)
  return kept
}

const base64 = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)))
