import { CacheError } from '../errors.ts'

/**
 * The body as text or as a blob; `former` where that is a blob of the same bytes, so that it stays the same reference.
 *
 * @throws `CacheError` with code `status` when the response is not ok
 */
export async function bodyOf(answer: Response, as: 'text' | 'blob', former: unknown): Promise<unknown> {
  if (!answer.ok) throw new CacheError('status', `${answer.url} answered ${answer.status}`, { response: answer })
  const body = await answer[as]()
  return former && typeof body === 'object' && (await areSame(body, former as Blob)) ? former : body
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer())

async function areSame(one: Blob, other: Blob): Promise<boolean> {
  if (one.size !== other.size || one.type !== other.type) return false
  const [bytes, others] = await Promise.all([bytesOf(one), bytesOf(other)])
  return bytes.every((byte, index) => byte === others[index])
}
