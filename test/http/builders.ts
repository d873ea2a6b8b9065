import { requestDirectives } from '../../src/http/cache-control.ts'
import type { DecisionContext } from '../../src/http/decide.ts'
import type {
  EpochMs,
  HeaderList,
  PresentedRequest,
  PurgeLog,
  PurgeRecord,
  StoredResponse,
} from '../../src/http/message.ts'
import { type StoredResponseParts, storedResponse } from '../../src/http/stored-response.ts'

/** The moment at which every response of these tests arrives, if nothing else is said: Monday 5 January 2026, 12:00:00 GMT. */
export const start: EpochMs = Date.UTC(2026, 0, 5, 12)

export const seconds = (count: number): number => count * 1000

/** `moment` as the origin writes it (IMF-fixdate). */
export const httpDate = (moment: EpochMs): string => new Date(moment).toUTCString()

export const url = 'https://shop.example/products/42'

type Fields = Readonly<Record<string, string>> | HeaderList

/** Fields as a list, written as an object where every name is an ordinary one. */
export const fields = (given: Fields = {}): HeaderList =>
  Array.isArray(given) ? (given as HeaderList) : Object.entries(given as Record<string, string>)

export function presentedWith(headers: Fields = {}, more: Partial<PresentedRequest> = {}): PresentedRequest {
  const list = fields(headers)
  return { method: 'GET', url, headers: list, cacheMode: 'default', directives: requestDirectives(list), ...more }
}

interface Parts extends Partial<Omit<StoredResponseParts, 'headers' | 'request'>> {
  /** Fields of the original request. */
  readonly request?: Fields
}

/** A 200 of ten bytes that took no time, stored from these fields. */
export const storedWith = (headers: Fields = {}, { request = {}, ...parts }: Parts = {}): StoredResponse =>
  storedResponse({
    url,
    status: 200,
    statusText: 'OK',
    type: 'basic',
    headers: fields(headers),
    request: { headers: fields(request) },
    requestTime: start,
    responseTime: start,
    epoch: { incarnation: 'one', number: 0 },
    context: 'tab',
    sequence: 1,
    delta: 100,
    tags: [],
    body: { id: 'body', size: 10 },
    ...parts,
  })

export function logWith(purges: readonly PurgeRecord[] = [], more: Partial<PurgeLog> = {}): PurgeLog {
  return { incarnation: 'one', last: purges.at(-1)?.number ?? 0, floor: 0, purges, ...more }
}

export const contextAt = (now: EpochMs, more: Partial<DecisionContext> = {}): DecisionContext => ({
  now,
  log: logWith(),
  random: () => 0,
  ...more,
})
