import type { StoredResponse } from '../../src/http/message.ts'
import type { CacheKey, StoredRecord, Write } from '../../src/ports/store.ts'
import { storedWith } from '../http/builders.ts'

/** A stored response with this body at hand, under the incarnation of a test's database unless something else is said. */
export const responseWith = (id: string, size = 10, more: Partial<StoredResponse> = {}): StoredResponse => ({
  ...storedWith({ 'cache-control': 'max-age=60' }),
  ...more,
  body: { id, size, bytes: new Uint8Array(size).fill(id.length) },
})

export const recordOf = (...responses: StoredResponse[]): StoredRecord => ({ v: 1, responses })

export const putOf = (key: CacheKey, ...responses: StoredResponse[]): Write => ({
  kind: 'record',
  partition: '',
  key,
  value: responses.length > 0 ? recordOf(...responses) : undefined,
})

/** The names of a record's bodies. */
export const idsOf = (record: StoredRecord | undefined): string[] =>
  (record?.responses ?? []).map(({ body }) => body.id)
