import { CacheError } from '../errors.ts'
import type { EpochMs } from '../http/message.ts'
import { subtle } from './entity-tag.ts'

/** How far the time of a message may be from ours, in milliseconds. */
export const TOLERANCE_MS = 300_000

/** Signatures looked at. */
const MAX_SIGNATURES = 16

/** Why a message is not believed; `undefined`: it is. */
export type Verify = (headers: Headers, body: Uint8Array, now: EpochMs) => Promise<string | undefined>

/**
 * Checks signatures as the Standard Webhooks specification has them: HMAC-SHA-256 over `webhook-id.webhook-timestamp.body`, compared in constant time by WebCrypto. Any of the signatures by any of
 * the secrets counts, so that secrets can be changed without losing a message.
 *
 * @param secrets - each `whsec_` and base64
 * @throws CacheError with code `option` when a secret is none; it does not show it
 */
export function verifier(secrets: readonly string[]): Verify {
  const raw = secrets.map(bytesOfSecret)
  let keys: Promise<CryptoKey[]> | undefined
  return async (headers, body, now) => {
    const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
      headers.get(name),
    )
    if (!id || !timestamp || !signatures) return 'It needs webhook-id, webhook-timestamp and webhook-signature'
    if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1000) > TOLERANCE_MS)
      return 'Its webhook-timestamp is not within five minutes of now'
    keys ??= Promise.all(
      raw.map((key) => subtle().importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])),
    )
    const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), body)
    for (const part of signatures.split(' ').slice(0, MAX_SIGNATURES)) {
      const signature = part.startsWith('v1,') ? fromBase64(part.slice(3)) : undefined
      if (!signature) continue
      for (const key of await keys) if (await subtle().verify('HMAC', key, signature, signed)) return undefined
    }
    return 'None of its signatures is by a secret that is known here'
  }
}

function bytesOfSecret(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = typeof secret === 'string' ? fromBase64(secret.replace(/^whsec_/, '')) : undefined
  if (bytes && bytes.byteLength > 0) return bytes
  throw new CacheError('option', 'secret must be whsec_ followed by base64, as the sender of the webhooks shows it', {
    path: 'secret',
  })
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.byteLength + other.byteLength)
  bytes.set(one)
  bytes.set(other, one.byteLength)
  return bytes
}
