import { isTimeout } from '../errors.ts'
import { isOriginError } from '../http/decide.ts'
import { type Answer, passOn } from './answer.ts'
import { discard } from './arrival.ts'
import type { Core } from './core.ts'
import { toHeaders } from './header-list.ts'
import type { Presented } from './presented.ts'

/**
 * What `work` answers, or the rule's fallback where the origin has failed and there is nothing to serve. A caller that has gone gets no fallback.
 *
 * @throws what `work` throws, where there is no fallback; what the caller's own function throws
 */
export async function orFallback(presented: Presented, core: Core, work: () => Promise<Answer>): Promise<Answer> {
  const { rule, signal, request } = presented
  if (!rule?.fallback || request.cacheMode === 'only-if-cached') return work()
  let failure: unknown
  try {
    const answer = await work()
    // What did not come from the origin is none of its failures.
    if (!isOriginError(answer.status) || typeof answer.path === 'string') return answer
    if ('raw' in answer.body) discard(answer.body.raw)
    if ('reader' in answer.body) answer.body.reader.leave()
    failure = new Error(`${request.url} answered ${answer.status}`)
  } catch (error) {
    if (signal?.aborted ? !isTimeout(signal.reason) : !(error instanceof TypeError || isTimeout(error))) throw error
    failure = error
  }
  core.emit({ type: 'failed', url: request.url, error: failure }, presented)
  return { ...passOn(await made(presented), request.url, 'offline', 'uri-miss'), path: { why: 'uri-miss' } }
}

async function made({ rule, request }: Presented): Promise<Response> {
  const fallback = rule?.fallback
  if (typeof fallback === 'function') {
    const { method, url, headers } = request
    const response = await fallback(new Request(url, { method, headers: toHeaders(headers) }))
    return method === 'HEAD' ? new Response(null, response) : response
  }
  const { status = 200, headers, body = '' } = fallback ?? {}
  const isEmpty = request.method === 'HEAD' || [204, 205, 304].includes(status)
  return new Response(isEmpty ? null : body, { status, ...(headers && { headers }) })
}
