import { createHmac } from 'node:crypto'

/** A secret as senders of webhooks show it, and another one. */
export const secret = `whsec_${Buffer.from('a secret of thirty-two bytes, no more').toString('base64')}`
export const otherSecret = `whsec_${Buffer.from('the one before it, or the one after').toString('base64')}`

export interface Sent {
  readonly id?: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly by?: readonly string[]
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What Standard Webhooks wants in the field `webhook-signature`, made by Node’s own HMAC. */
export const sign = (by: string, id: string, seconds: number, body: string | Uint8Array): string => {
  const key = Buffer.from(by.slice('whsec_'.length), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64')}`
}

/** A webhook, signed. */
export function webhook(
  payload: unknown,
  { id = 'msg_1', at, by = [secret], method = 'POST', headers = {} }: Sent,
): Request {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const seconds = Math.floor(at / 1000)
  return new Request('https://shop.example/purge', {
    method,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': by.map((one) => sign(one, id, seconds, body)).join(' '),
      ...headers,
    },
    ...(method !== 'GET' && { body }),
  })
}
