import type { CacheKey } from '../ports/store.ts'
import { isText, isTexts } from './stored-record.ts'

export const LOG: IDBValidKey = ['meta', 'log']
export const PURGES: IDBValidKey = ['meta', 'purges']
export const SPACE: IDBValidKey = ['meta', 'space']
export const SWEEP: IDBValidKey = ['meta', 'sweep']

export const recordKey = (partition: string, key: CacheKey): IDBValidKey => ['record', partition, key as string[]]
export const bodyKey = (partition: string, key: CacheKey, id: string): IDBValidKey => [
  'body',
  partition,
  key as string[],
  id,
]
export const visitedKey = (partition: string, key: CacheKey): IDBValidKey => ['visited', partition, key as string[]]

export const routeKey = (partition: string, name: string): IDBValidKey => ['route', partition, name]

/** Whether a database key is that of a record. */
export const isRecordKey = (key: unknown): key is readonly ['record', partition: string, key: CacheKey] =>
  Array.isArray(key) && key[0] === 'record' && isText(key[1]) && isTexts(key[2])
