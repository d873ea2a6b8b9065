import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CacheError } from '../errors.ts'
import { mayServeOnError } from '../http/decide.ts'
import { type Answer, replay, toResponse } from './answer.ts'
import type { Accept } from './arrival.ts'
import { type Core, decisionContext } from './core.ts'
import { unlessAborted } from './deadlines.ts'
import { decideNow } from './decide-now.ts'
import { toHeaders } from './header-list.ts'
import type { Parsed } from './json-views.ts'
import type { Presented } from './presented.ts'
import { respond } from './respond.ts'
import type { Session } from './session.ts'

const NOTHING = new Uint8Array()

/** The answer to one `json()`, and what gives its data or throws: an answer that is of no use is an answer all the same. */
export async function answerJson<T>(
  presented: Presented,
  { core, views }: Session,
  schema: StandardSchemaV1<unknown, T> | undefined,
): Promise<readonly [Answer, () => T]> {
  const made = (parsed: Parsed): T | Promise<T> =>
    schema && parsed.data !== undefined ? views.validate(parsed, schema) : (parsed.data as T)
  const parse = (bytes: Uint8Array<ArrayBuffer>) => made(views.parse(bytes))
  const isUsable: Accept = (bytes) => {
    const parsed = parse(bytes)
    return !(parsed instanceof Promise) || parsed.then(() => true)
  }
  const answer = await respond(presented, core, isUsable)
  if (answer.status < 200 || answer.status > 299) {
    return [
      answer,
      () => {
        throw notOk(answer, presented, core)
      },
    ]
  }
  try {
    const bytes = 'bytes' in answer.body ? (answer.body.bytes ?? NOTHING) : await bytesOf(answer, presented)
    const parsed = made(views.overlaid(presented.key, bytes) ?? views.parse(bytes))
    const data = parsed instanceof Promise ? await unlessAborted(parsed, presented.signal) : parsed
    return [answer, () => data]
  } catch (error) {
    if (presented.signal?.aborted) throw error
    const good = presented.passBy ? undefined : await lastGood(presented, core)
    if (good && good.stored !== answer.stored) {
      // A good one that is none for this caller changes nothing.
      const found = await bytesOf(good, presented)
        .then(parse)
        .then(
          (data) => ({ data }),
          () => undefined,
        )
      if (found) return [good, () => found.data]
    }
    if (!(error instanceof SyntaxError || error instanceof CacheError)) throw error
    return [
      answer,
      () => {
        throw error instanceof SyntaxError ? notJson(error, answer, presented) : error
      },
    ]
  }
}

/** The body as it is kept, or as it comes when it is too large to keep. */
async function bytesOf({ body }: Answer, { signal }: Presented): Promise<Uint8Array<ArrayBuffer>> {
  if ('bytes' in body) return body.bytes ?? NOTHING
  if ('raw' in body) return new Uint8Array(await body.raw.arrayBuffer())
  const whole = await unlessAborted(body.whole, signal)
  if (!whole) return new Uint8Array(await new Response(body.stream).arrayBuffer())
  body.stream.cancel().catch(() => {})
  return whole
}

/** The last good response, when the new one is of no use: under the same permission as for any other error of the origin (RFC 5861 §4). */
async function lastGood(presented: Presented, core: Core): Promise<Answer | undefined> {
  const record = core.store.peek(presented.key) ?? (await core.store.read(presented.key))
  const decision = decideNow(presented, record, core)
  const stored = 'stored' in decision ? decision.stored : undefined
  const numbers = stored && mayServeOnError(stored, presented.request, decisionContext(presented, core))
  if (!stored?.body.bytes || !numbers || stored.status > 299) return undefined
  return replay(stored, presented.request, numbers, 'stale-if-error', { why: 'stale' })
}

function notOk(answer: Answer, { request }: Presented, core: Core): CacheError {
  const response = toResponse(answer, core.settings.cacheStatus)
  return new CacheError('status', `${request.url} answered ${answer.status} ${answer.statusText}`.trim(), { response })
}

function notJson(cause: SyntaxError, answer: Answer, { request }: Presented): CacheError {
  const { status, statusText, headers } = answer
  const response = new Response(null, { status, statusText, headers: toHeaders(headers()) })
  return new CacheError(
    'parse',
    `The body of ${request.url} is not JSON: ${cause.message}. Use fetch() for other kinds of bodies`,
    { cause, response },
  )
}
