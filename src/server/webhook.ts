import type { EpochMs } from '../http/message.ts'
import { type FeedPurge, webhookPayload } from '../purge/messages.ts'
import type { Verify } from './signature.ts'

/** The largest body that is read, in bytes. */
const MAX_WEBHOOK_BYTES = 65_536

/** What a webhook asks for, or the answer that refuses it. */
export type ReadWebhook =
  | { readonly refused: Response }
  | { readonly id: string; readonly purge: FeedPurge; readonly at: EpochMs | undefined }

/**
 * Reads a signed webhook. Nothing of its content is looked at before its signature is found right, and no more than 64 KiB are ever read. What it answers says what was wrong, and repeats nothing.
 */
export async function readWebhook(request: Request, verify: Verify, now: EpochMs): Promise<ReadWebhook> {
  const refuse = (status: number, message: string, headers: Record<string, string> = {}): ReadWebhook => ({
    refused: answer(status, message, headers),
  })
  if (request.method !== 'POST') return refuse(405, 'A webhook is a POST', { allow: 'POST' })
  const body = await readBody(request)
  if (!body) return refuse(413, `A webhook has at most ${MAX_WEBHOOK_BYTES} bytes`)
  const doubt = await verify(request.headers, body, now)
  if (doubt) return refuse(401, doubt)
  const payload = webhookPayload.safeParse(parse(body))
  if (!payload.success)
    return refuse(
      422,
      'The payload must be { "selector": { "url" | "tag" | "tags" | "pattern": … } or { "all": true }, "mode"?: "soft" | "hard", "at"?: time, "spread"?: milliseconds }',
    )
  const { selector, mode = 'soft', at, spread } = payload.data
  return {
    id: request.headers.get('webhook-id') as string,
    purge: { selector, mode, ...(spread !== undefined && { spread }) },
    at: typeof at === 'string' ? Date.parse(at) : at,
  }
}

/** An answer for machines, kept by nobody. */
export const answer = (status: number, message: string, headers: Record<string, string> = {}): Response =>
  Response.json({ message }, { status, headers: { 'cache-control': 'no-store', ...headers } })

/** The body; `undefined` when it is too long: then the rest is not read. */
async function readBody({ headers, body }: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(headers.get('content-length') ?? 0) > MAX_WEBHOOK_BYTES) {
    body?.cancel().catch(() => {})
    return undefined
  }
  const bytes = new Uint8Array(MAX_WEBHOOK_BYTES)
  const reader = body?.getReader()
  let size = 0
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true }
    if (done) return bytes.slice(0, size)
    if (size + value.byteLength > MAX_WEBHOOK_BYTES) {
      reader?.cancel().catch(() => {})
      return undefined
    }
    bytes.set(value, size)
    size += value.byteLength
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
