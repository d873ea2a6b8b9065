import { fieldValue } from '../http/fields.ts'
import type { Core } from './core.ts'
import type { Presented } from './presented.ts'

/**
 * Who may share a request to the origin: the same key with the same fields, since what the response varies on is not known before it is there, and the same
 * manner, since errors are shared too. Ranges, `reload` and HEAD are requests of their own.
 */
export function identityOf({ request, key, manner }: Presented): string | undefined {
  if (request.method !== 'GET' || request.cacheMode === 'reload' || fieldValue(request.headers, 'range') !== undefined)
    return undefined
  return JSON.stringify([key, request.headers, manner, request.cacheMode === 'force-cache'])
}

/** The same request for the whole representation, with nobody who waits for it. */
export function withoutCaller(presented: Presented): Presented {
  const { signal: _, ...init } = presented.init
  const headers = presented.request.headers.filter(([name]) => name !== 'range')
  return {
    ...presented,
    init: { ...init, priority: 'low' },
    signal: undefined,
    request: { ...presented.request, method: 'GET', headers },
  }
}

/** Whether it is asked for already, waits for its turn to be, or has failed not long ago. */
export const isUnderWayOrResting = (identity: string, { flights, now }: Core): boolean =>
  flights.under(identity) !== undefined || flights.turning.has(identity) || flights.resting.has(identity, now())
