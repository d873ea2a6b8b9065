/** What an origin needs so that caches obey it: headers, validators, and purges that reach every browser. Web-standard `Request` and `Response`; for Node's http see `toNodeHandler`. */
export { type CacheDirectives, cacheControl } from './cache-control.ts'
export { type Handler, type HttpCachePolicy, withHttpCache } from './http-cache.ts'
export { toNodeHandler } from './node-handler.ts'
export {
  createPurgeHub,
  type DeadLetter,
  type HubPurgeOptions,
  type HubSelector,
  type PurgeHub,
  type PurgeHubOptions,
} from './purge-hub.ts'
export type { PurgeLogPort } from './purge-log.ts'
