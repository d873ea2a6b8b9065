import { requestedRange, sliceOf } from '../http/byte-range.ts'
import type { HeaderList } from '../http/message.ts'

/**
 * What a request with this `Range` is given of a whole response whose bytes are those of the representation; Cache Storage gives the whole, with which some engines play no film, and none can seek.
 * Several ranges, and units that nobody knows, are ignored, as a server may (RFC 9110 §14.2).
 */
export async function partOf(whole: Response, value: string): Promise<Response> {
  const range = requestedRange(value)
  if (!range) return whole
  const { status, type } = whole
  const fields = [...whole.headers].filter(([name]) => name !== 'content-length' && name !== 'content-range')
  const body = await whole.blob()
  const slice = sliceOf({ status, headers: fields, type: type === 'cors' ? type : 'basic', body }, range)
  const made = (part: Blob, status: number, contentRange: string): Response => {
    const headers: HeaderList = [...fields, ['content-length', String(part.size)], ['content-range', contentRange]]
    return new Response(part, { status, headers: headers as [string, string][] })
  }
  return slice
    ? made(body.slice(slice.from, slice.to), 206, slice.contentRange)
    : made(body.slice(0, 0), 416, `bytes */${body.size}`)
}
