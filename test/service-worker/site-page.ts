// What every page of the site runs. A test calls it by name, in the page (Playwright) or by message from the page that frames it (Vitest).
import { type CacheEvent, type CacheOptions, createCache, type NearCache } from '../../src/index.ts'
import { type RegisteredWorker, registerServiceWorker } from '../../src/service-worker/register.ts'

const errors: string[] = []
addEventListener('error', ({ message }) => errors.push(message))
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))

let cache: NearCache | undefined
const events: CacheEvent[] = []
let worker: RegisteredWorker | undefined
const told: string[] = []

function cacheOf(options: CacheOptions = {}): NearCache {
  if (cache) return cache
  cache = createCache({ earlyExpiry: false, deadlines: { diskMs: 60_000, lockMs: 60_000 }, ...options })
  cache.on((event) => events.push(event))
  return cache
}

const answered = async (response: Response) => ({
  status: response.status,
  url: response.url,
  redirected: response.redirected,
  cacheStatus: response.headers.get('cache-status'),
  text: await response.text(),
})

async function givenOf(paths: readonly string[]): Promise<string[]> {
  const cache = cacheOf()
  const shown = paths.flatMap((path) => JSON.stringify(cache.peek(path)?.data) ?? [])
  const asked = await Promise.allSettled(
    paths.flatMap((path) => [
      cache.fetch(path).then((response) => response.text()),
      cache.fetch(path, { cache: 'force-cache' }).then((response) => response.text()),
      cache.fetch(path, { cache: 'only-if-cached', mode: 'same-origin' }).then((response) => response.text()),
      cache.json(path).then((data) => JSON.stringify(data)),
    ]),
  )
  return [...shown, ...asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))]
}

/** Whether a text is anywhere in a value, as a string or as bytes. */
function holds(value: unknown, text: string): boolean {
  if (typeof value === 'string') return value.includes(text)
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value))
    return new TextDecoder('latin1').decode(value).includes(text)
  return typeof value === 'object' && value !== null && Object.values(value).some((part) => holds(part, text))
}

const played = (url: string): Promise<number | string> =>
  new Promise((resolve) => {
    const audio = new Audio(url)
    audio.preload = 'auto'
    audio.onerror = () => resolve(`error ${audio.error?.code}`)
    audio.onloadedmetadata = () => {
      audio.currentTime = 0.9 * audio.duration
    }
    audio.onseeked = () => resolve(audio.duration)
  })

export const site = {
  /** Gives the page's own cache these options; before its first use. */
  open: (options: CacheOptions): void => void cacheOf(options),
  /** Whether a text lies in the database as it is. */
  diskHolds: (text: string, name = 'nearcache'): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open(name)
      opening.onerror = () => reject(opening.error)
      opening.onsuccess = () => {
        const database = opening.result
        const stores = [...database.objectStoreNames]
        const reading = database
          .transaction(stores)
          .objectStore(stores[0] as string)
          .getAll()
        reading.onerror = () => reject(reading.error)
        reading.onsuccess = () => {
          database.close()
          resolve(reading.result.some((value: unknown) => holds(value, text)))
        }
      }
    }),
  /** Registers the worker, and waits until it controls this page. */
  async register(options: object = {}, query = ''): Promise<void> {
    // The disk alone is waited for, however slow the machine is.
    const given = encodeURIComponent(JSON.stringify({ deadlines: { diskMs: 60_000 }, ...options }))
    worker = await registerServiceWorker(`/worker.js?options=${given}${query}`, {
      scope: '/',
      cache: cacheOf(),
    })
    worker.on(({ type }) => told.push(type))
    await worker.ready
    if ('claim' in options && !navigator.serviceWorker.controller)
      await new Promise((changed) =>
        navigator.serviceWorker.addEventListener('controllerchange', changed, { once: true }),
      )
  },
  /** Registers a worker by the address of its script alone, as the command line says, and waits until it controls this page. */
  async registerFile(script: string): Promise<void> {
    worker = await registerServiceWorker(script, { cache: cacheOf() })
    await worker.ready
    if (!navigator.serviceWorker.controller)
      await new Promise((changed) =>
        navigator.serviceWorker.addEventListener('controllerchange', changed, { once: true }),
      )
  },
  /** Lets the browser look for another version of the worker. */
  update: async (): Promise<void> => void (await worker?.registration?.update()),
  /** What there is of workers and caches. */
  async left() {
    const [registrations, names] = await Promise.all([navigator.serviceWorker.getRegistrations(), caches.keys()])
    return { workers: registrations.length, caches: names }
  },
  /** Whether there is a database of that name. WebKit lists none in a frame of another site. */
  hasDatabase: (name: string): Promise<boolean> =>
    new Promise((resolve) => {
      const request = indexedDB.open(name)
      request.onupgradeneeded = () => request.transaction?.abort()
      request.onsuccess = () => {
        request.result.close()
        resolve(true)
      }
      request.onerror = () => resolve(false)
    }),
  /** The URLs that one cache of Cache Storage has. */
  held: async (name: string) => (await (await caches.open(name)).keys()).map(({ url }) => url),
  /** Gives the page's cache up, and its database. */
  close: async (): Promise<void> => {
    await cache?.close()
    cache = undefined
  },
  hasPreload: async () => (await navigator.serviceWorker.getRegistration())?.navigationPreload !== undefined,
  /** How long a sound lasts, in seconds, when it is to be played from near its end; what is wrong otherwise. Firefox's player stalls now and then, also without a worker: it has three attempts. */
  async sound(url: string): Promise<number | string> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const told = await Promise.race([played(url), new Promise<'stalled'>((end) => setTimeout(end, 5_000, 'stalled'))])
      if (told !== 'stalled') return told
    }
    return 'stalled'
  },
  /** The status that a worker of this page, of a script that is in no store but the shell, sees for a URL; 0 for none. */
  inWorker: (url: string): Promise<number> =>
    new Promise((resolve) => {
      const asking = new Worker('/asking.js')
      asking.onmessage = ({ data }) => resolve(data)
      asking.onerror = () => resolve(0)
      asking.postMessage(url)
    }),
  /** What is said when there is no such worker. */
  refused: (script: string): Promise<unknown> =>
    registerServiceWorker(script).then(
      () => 'registered',
      ({ name, code, message }) => ({ name, code, message }),
    ),
  isControlled: () => navigator.serviceWorker.controller !== null,
  unregister: () => worker?.unregister(),
  skipWaiting: () => worker?.skipWaiting(),
  /** What has become of the worker so far. */
  told: () => told,
  errors: () => errors,
  /** A fetch without nearcache. */
  plain: async (url: string, init?: RequestInit) => answered(await fetch(url, init)),
  /** A fetch through the page's own cache. */
  cached: async (url: string, init?: RequestInit) => {
    const answer = await answered(await cacheOf().fetch(url, init))
    await cacheOf().settled()
    return answer
  },
  /** Hard, by URL. */
  purge: async (url: string): Promise<void> => void (await cacheOf().purge({ url }, { mode: 'hard' })),
  causes: () => events.flatMap((event) => (event.type === 'answered' ? [event.cause] : [])),
  setPartition: (name: string | undefined) => cacheOf().setPartition(name),
  /** Signs out, and reads in the same turn. */
  async leave(paths: readonly string[]) {
    const leaving = cacheOf().setPartition(undefined)
    const { memoryBytes } = cacheOf().stats()
    const given = await givenOf(paths)
    return { memoryBytes, given, receipt: await leaving }
  },
  /** What the page's own cache gives of these, at once and when asked. */
  given: (paths: readonly string[]) => givenOf(paths),
  /** Whether a picture can be shown. */
  image: (url: string): Promise<boolean> =>
    new Promise((resolve) => {
      const image = new Image()
      image.onload = () => resolve(true)
      image.onerror = () => resolve(false)
      image.src = url
    }),
  /** What the visitor sees. */
  shown: () => document.querySelector('h1')?.textContent,
  /** Whether the pictures of the page itself are there. */
  pictures: () => [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth > 0),
  go: (url: string) => {
    setTimeout(() => location.assign(url))
  },
  address: () => location.pathname,
  reload: () => {
    setTimeout(() => location.reload())
  },
}

Object.assign(globalThis, { site })

addEventListener('message', async ({ data, source }) => {
  const { id, name, args } = data as { id: string; name: keyof typeof site; args: never[] }
  if (!(name in site)) return
  const answer = await Promise.resolve((site[name] as (...given: never[]) => unknown)(...args)).then(
    (result) => ({ id, result }),
    (error: unknown) => ({ id, error: String(error) }),
  )
  source?.postMessage(answer, { targetOrigin: '*' })
})
addEventListener('load', () => {
  if (parent !== window) parent.postMessage('ready', '*')
})
