/** The global scope of a service worker, as far as it must be known to be passed in: `self`, whichever types the project has for it. */
export interface WorkerScope {
  // biome-ignore lint/suspicious/noExplicitAny: every project's own type of events fits
  addEventListener(type: string, listener: (event: any) => void): void
}

/** What is used of it. Anything that not every browser has is optional. */
export interface Scope extends WorkerScope {
  readonly location: { readonly origin: string; readonly href: string }
  readonly registration: Registration
  readonly clients: {
    claim(): Promise<void>
    matchAll(options?: { readonly includeUncontrolled?: boolean; readonly type?: 'all' }): Promise<readonly Client[]>
  }
  readonly caches?: CacheStorage
  skipWaiting(): Promise<void>
}

interface Registration {
  readonly installing?: unknown
  readonly waiting?: unknown
  readonly navigationPreload?: { enable(): Promise<void>; disable(): Promise<void> }
}

interface Client {
  readonly id: string
}

/** An event whose worker lives on until what it is given has settled. */
export interface ExtendableEvent {
  waitUntil(work: Promise<unknown>): void
}

export interface FetchEvent extends ExtendableEvent {
  readonly request: Request
  readonly clientId?: string
  readonly resultingClientId?: string
  /** The response to a navigation that the browser has asked for while the worker started; `undefined` where it has not. */
  readonly preloadResponse?: Promise<Response | undefined>
  respondWith(response: Promise<Response>): void
}

/** A static route (Service Workers, `InstallEvent.addRoutes()`). */
export interface StaticRoute {
  readonly condition: { readonly urlPattern: Readonly<Record<string, string>> }
  readonly source: 'network'
}

export interface InstallEvent extends ExtendableEvent {
  addRoutes?(routes: readonly StaticRoute[]): Promise<void>
}

export interface MessageEvent extends ExtendableEvent {
  readonly data: unknown
}
