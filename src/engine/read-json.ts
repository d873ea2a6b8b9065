import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CacheError } from '../errors.ts'
import { mayServeOnError } from '../http/decide.ts'
import type { CacheKey } from '../ports/store.ts'
import { type Answer, type Given, replay, toResponse } from './answer.ts'
import type { Accept } from './arrival.ts'
import { type Core, decisionContext } from './core.ts'
import { unlessAborted } from './deadlines.ts'
import { decideNow } from './decide-now.ts'
import { toHeaders } from './header-list.ts'
import type { JsonViews, Parsed } from './json-views.ts'
import type { Presented } from './presented.ts'
import { respond } from './respond.ts'
import type { Session } from './session.ts'

const NOTHING = new Uint8Array()

/** The parsed body of the answer to one request; what memory has is there at once. */
export function readJson<T>(
  presented: Presented,
  mine: Session,
  schema?: StandardSchemaV1<unknown, T>,
): Given<T> | Promise<Given<T>> {
  const { core, views } = mine
  const answer = respond(presented, core, schema ? usableFor(schema, views) : views.isJson, true)
  if ('then' in answer) return readLater(answer, presented, mine, schema)
  const atOnce = schema ? undefined : readAtOnce(answer, presented, views)
  return (atOnce as Given<T> | undefined) ?? read(answer, presented, mine, schema)
}

// Closures have functions of their own: what they hold is set aside at each call, whether they are made or not, and every hit comes by above.
const usableFor =
  (schema: StandardSchemaV1, views: JsonViews): Accept =>
  (bytes) =>
    isUsable(views.parse(bytes), schema, views)

const readLater = async <T>(
  answer: Promise<Answer>,
  presented: Presented,
  mine: Session,
  schema: StandardSchemaV1<unknown, T> | undefined,
): Promise<Given<T>> => read(await answer, presented, mine, schema)

/** What needs no waiting and is no error, as nearly every hit. */
function readAtOnce(answer: Answer, { key }: Presented, views: JsonViews): Given<unknown> | undefined {
  const { status, body } = answer
  if (status < 200 || status > 299 || !('bytes' in body)) return undefined
  const bytes = body.bytes ?? NOTHING
  const changed = views.overlaid(key, bytes)
  if (changed) return giving(answer, changed)
  try {
    answer.json ??= giving(answer, views.parse(bytes))
    return answer.json
  } catch {
    return undefined
  }
}

const giving = (answer: Answer, { data }: Parsed): Given<unknown> => ({ answer, give: () => data })

async function read<T>(
  answer: Answer,
  presented: Presented,
  { core, views }: Session,
  schema: StandardSchemaV1<unknown, T> | undefined,
): Promise<Given<T>> {
  if (answer.status < 200 || answer.status > 299) {
    return {
      answer,
      give() {
        throw notOk(answer, presented, core)
      },
    }
  }
  try {
    const bytes = await bytesOf(answer, presented)
    const made = dataOf(parsedOf(presented.key, bytes, views), schema, views)
    const data = made instanceof Promise ? await unlessAborted(made, presented.signal) : made
    return { answer, give: () => data }
  } catch (error) {
    if (presented.signal?.aborted) throw error
    const good = presented.passBy ? undefined : await lastGood(presented, core)
    if (good && good.stored !== answer.stored) {
      // A good one that is none for this caller changes nothing.
      const found = await bytesOf(good, presented)
        .then((bytes) => dataOf(views.parse(bytes), schema, views))
        .then(
          (data) => ({ data }),
          () => undefined,
        )
      if (found) return { answer: good, give: () => found.data }
    }
    if (!(error instanceof SyntaxError || error instanceof CacheError)) throw error
    return {
      answer,
      give() {
        throw error instanceof SyntaxError ? notJson(error, answer, presented) : error
      },
    }
  }
}

/** What a caller put in front of this body, or what it says. @throws SyntaxError when it is not JSON */
const parsedOf = (key: CacheKey, bytes: Uint8Array<ArrayBuffer>, views: JsonViews): Parsed =>
  views.overlaid(key, bytes) ?? views.parse(bytes)

const dataOf = <T>(
  parsed: Parsed,
  schema: StandardSchemaV1<unknown, T> | undefined,
  views: JsonViews,
): T | Promise<T> => (schema && parsed.data !== undefined ? views.validate(parsed, schema) : (parsed.data as T))

function isUsable(parsed: Parsed, schema: StandardSchemaV1, views: JsonViews): ReturnType<Accept> {
  const made = dataOf(parsed, schema, views)
  return !(made instanceof Promise) || made.then(() => true)
}

/** The body as it is kept, or as it comes when it is too large to keep. */
async function bytesOf({ body }: Answer, { signal }: Presented): Promise<Uint8Array<ArrayBuffer>> {
  if ('bytes' in body) return body.bytes ?? NOTHING
  if ('raw' in body) return new Uint8Array(await body.raw.arrayBuffer())
  const whole = await unlessAborted(body.whole, signal)
  if (!whole) return new Uint8Array(await new Response(body.reader.stream()).arrayBuffer())
  body.reader.leave()
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
  const response = toResponse(answer, core.settings)
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
