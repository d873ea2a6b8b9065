import { fieldValue, listMembers } from './fields.ts'
import type { HeaderList, ResponseDirectives } from './message.ts'

/** Fields of the connection or of a proxy, not of the response (RFC 9111 §3.1, RFC 9110 §7.6.1). */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]

/**
 * Fields that a 304 does not change (RFC 9111 §3.2): those that say how the content came over the wire, as what is stored has been decoded,
 * and `Content-Type`, because the content has been read by it (parsed JSON is kept, a page may have run it): bytes that were
 * harmless as text must not become a script by a header alone.
 */
const frozen = ['content-encoding', 'content-length', 'content-range', 'content-type']

/**
 * The fields that are stored: every one received, less those of the connection, those that `Connection` names, and those that a
 * qualified `no-cache` keeps from being reused without validation (RFC 9111 §3.1, §5.2.2.4).
 */
export function storedFields(headers: HeaderList, { noCache }: Pick<ResponseDirectives, 'noCache'> = {}): HeaderList {
  const left = new Set([
    ...hopByHop,
    ...listMembers((fieldValue(headers, 'connection') ?? '').toLowerCase()),
    ...(noCache && noCache !== true ? noCache : []),
  ])
  return headers.filter(([name]) => !left.has(name))
}

/** Stored fields after an update: each field that the update brings replaces the stored one, unknown ones too (RFC 9111 §3.2). */
export function freshenedFields(stored: HeaderList, update: HeaderList): HeaderList {
  const fresh = storedFields(update).filter(([name]) => !frozen.includes(name))
  const replaced = new Set(fresh.map(([name]) => name))
  return [...stored.filter(([name]) => !replaced.has(name)), ...fresh]
}
