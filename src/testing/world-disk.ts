import type { VirtualIndexedDb } from './virtual-indexed-db.ts'

/** One thing that lies on the disk: whose it is, of what, and all text in it. */
export interface Lying {
  readonly partition: string
  readonly key: string
  readonly text: string
}

/** What lies on the disk of a cache of this name, as somebody sees it who opens the files: without any code of the stores. */
export async function readDisk(database: VirtualIndexedDb, name: string): Promise<readonly Lying[]> {
  const connection = await new Promise<IDBDatabase | undefined>((resolve) => {
    const request = database.factory.open(name)
    // There is none yet, and there shall be none.
    request.onupgradeneeded = () => request.transaction?.abort()
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => resolve(undefined)
  })
  if (!connection) return []
  try {
    const found = await Promise.all(Array.from(connection.objectStoreNames, (store) => allOf(connection, store)))
    return found.flat()
  } finally {
    connection.close()
  }
}

function allOf(connection: IDBDatabase, store: string): Promise<Lying[]> {
  return new Promise((resolve, reject) => {
    const objects = connection.transaction(store).objectStore(store)
    const keys = objects.getAllKeys()
    const values = objects.getAll()
    values.onerror = () => reject(values.error)
    values.onsuccess = () =>
      resolve(
        keys.result.flatMap((key, index) => {
          if (!Array.isArray(key) || (key[0] !== 'record' && key[0] !== 'body')) return []
          return [{ partition: String(key[1]), key: JSON.stringify(key), text: textIn(values.result[index]) }]
        }),
      )
  })
}

/** All strings and bytes in a value, wherever they are. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof ArrayBuffer) return new TextDecoder('latin1').decode(value)
  if (ArrayBuffer.isView(value)) return new TextDecoder('latin1').decode(value as Uint8Array<ArrayBuffer>)
  if (typeof value !== 'object' || value === null) return ''
  const parts = value instanceof Map ? [...value].flat() : Object.values(value)
  return parts.map(textIn).join('\n')
}
