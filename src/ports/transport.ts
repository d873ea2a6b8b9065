/** Carries a request towards the origin. Of `fetch`'s own type, so that one cache can be another's transport. */
export type Transport = typeof globalThis.fetch
