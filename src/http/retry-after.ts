import { parseHttpDate } from './http-date.ts'
import type { EpochMs, Ms } from './message.ts'

/** How long `Retry-After` asks to wait, from `now`: a number of seconds or a date, one that has passed being 0 (RFC 9110 §10.2.3). `undefined` for anything else: never a guess. */
export function retryAfter(value: string | null | undefined, now: EpochMs): Ms | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = parseHttpDate(text, now)
  return date === undefined ? undefined : Math.max(0, date - now)
}
