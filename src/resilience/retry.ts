import type { Ms } from '../http/message.ts'
import { retryAfter } from '../http/retry-after.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { Transport } from '../ports/transport.ts'
import { isRepeatable, methodOf, originOf, signalOf, urlOf } from './call.ts'

/** How often, and when, a request is made again that failed. */
export interface RetryLimits {
  /** Requests in all, 1 or more. @default 3 */
  readonly attempts?: number
  /** The upper bound of the first wait, in milliseconds; twice as long for each further one. @default 300 */
  readonly baseMs?: Ms
  /** The longest wait, in milliseconds; an origin that asks for more by `Retry-After` is not asked again. @default 5,000 */
  readonly maxMs?: Ms
}

export interface RetryPorts {
  readonly clock: Clock
  readonly random: Random
  /** Whether another attempt would be one request more at an origin that is ill. */
  isIll(url: string): boolean
}

/** Methods that may be made twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']
/** Retries in hand at most, and at first; each request adds a tenth of one. So an outage costs a tenth more requests, not a multiple. */
const MAX_BUDGET = 10
const FIRST_BUDGET = 3
const BUDGET_PER_REQUEST = 0.1
/** Origins whose budget is remembered. */
const MAX_ORIGINS = 100

/** How long to wait before the next attempt: a random part of a growing time ("full jitter"), on top of what the origin asks for, which it may ask of many. `undefined`: not at all. */
export function retryDelay(
  attempt: number,
  asked: Ms | undefined,
  draw: number,
  limits: Required<RetryLimits>,
): Ms | undefined {
  const { attempts, baseMs, maxMs } = limits
  if (attempt >= attempts || (asked ?? 0) > maxMs) return undefined
  return (asked ?? 0) + draw * Math.min(maxMs, baseMs * 2 ** (attempt - 1))
}

/**
 * Tries again where a request may be made twice and the failure may pass: no connection, 502, 503, 504, and 429 that says when. Not after the caller has aborted, not for work that nobody waits
 * for (`priority: 'low'`), not at an origin that is ill, and not without a budget.
 *
 * @throws what the last attempt threw, or the caller's reason
 * @see RFC 9110 sections 9.2.2 and 10.2.3
 */
export function withRetry(
  transport: Transport,
  { clock, random, isIll }: RetryPorts,
  given: RetryLimits = {},
): Transport {
  const limits = { attempts: 3, baseMs: 300, maxMs: 5_000, ...given }
  const budgets = new Map<string, number>()

  function mayTakeFrom(origin: string): boolean {
    const left = budgets.get(origin) ?? 0
    if (left >= 1) budgets.set(origin, left - 1)
    return left >= 1
  }

  function payInto(origin: string): void {
    const left = budgets.get(origin) ?? FIRST_BUDGET
    budgets.delete(origin)
    if (budgets.size >= MAX_ORIGINS) budgets.delete(budgets.keys().next().value as string)
    budgets.set(origin, Math.min(MAX_BUDGET, left + BUDGET_PER_REQUEST))
  }

  /** How long to wait after this outcome; `undefined`: it stands. */
  function waitAfter(outcome: Response | undefined, attempt: number): Ms | undefined {
    const asked = outcome && retryAfter(outcome.headers.get('retry-after'), clock.now())
    if (outcome && ![502, 503, 504].includes(outcome.status) && !(outcome.status === 429 && asked !== undefined))
      return undefined
    return retryDelay(attempt, asked, random(), limits)
  }

  return async (input, init) => {
    const url = urlOf(input)
    if (!IDEMPOTENT.includes(methodOf(input, init)) || init?.priority === 'low' || !isRepeatable(input, init))
      return transport(input, init)
    const origin = originOf(url)
    const signal = signalOf(input, init)
    payInto(origin)
    for (let attempt = 1; ; attempt++) {
      let response: Response | undefined
      let failure: unknown
      try {
        response = await transport(input, init)
      } catch (error) {
        failure = error
      }
      const mayPass = response || (failure instanceof TypeError && !signal?.aborted)
      const waitMs = mayPass && !isIll(url) ? waitAfter(response, attempt) : undefined
      if (waitMs === undefined || !mayTakeFrom(origin)) {
        if (response) return response
        throw failure
      }
      response?.body?.cancel().catch(() => {})
      await clock.sleep(waitMs, signal)
    }
  }
}
