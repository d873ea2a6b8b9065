import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import type { Cipher } from '../../src/ports/cipher.ts'
import type { Store } from '../../src/ports/store.ts'
import { createKeyRing, encryptedStore } from '../../src/stores/encrypted.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { seededRandom } from '../../src/testing/index.ts'
import type { Profile } from './database-harness.ts'

type Key = { readonly type: 'secret'; readonly extractable: false; readonly secret: Uint8Array }

const TAG_BYTES = 16
const bytesOf = (source: BufferSource): Uint8Array => new Uint8Array(source as ArrayBuffer)

/** AES-GCM as it is, but done at once, as virtual time wants it: the platform's takes threads, and real time. Its keys are plain data, for the deterministic database. */
const cipher: Cipher = {
  fillRandom: (bytes) => randomFillSync(bytes),
  subtle: {
    async generateKey(): Promise<Key> {
      return { type: 'secret', extractable: false, secret: new Uint8Array(randomFillSync(new Uint8Array(32))) }
    },
    async encrypt({ iv, additionalData }: AesGcmParams, key: unknown, data: BufferSource) {
      const made = createCipheriv('aes-256-gcm', (key as Key).secret, bytesOf(iv))
      made.setAAD(bytesOf(additionalData as BufferSource))
      const ciphertext = [made.update(bytesOf(data)), made.final()]
      return new Uint8Array(Buffer.concat([...ciphertext, made.getAuthTag()])).buffer
    },
    async decrypt({ iv, additionalData }: AesGcmParams, key: unknown, data: BufferSource) {
      const bytes = bytesOf(data)
      const opened = createDecipheriv('aes-256-gcm', (key as Key).secret, bytesOf(iv))
      opened.setAAD(bytesOf(additionalData as BufferSource))
      opened.setAuthTag(bytes.slice(-TAG_BYTES))
      return new Uint8Array(Buffer.concat([opened.update(bytes.slice(0, -TAG_BYTES)), opened.final()])).buffer
    },
  } as unknown as SubtleCrypto,
}

/** What `disk: { encrypt: true }` makes: the store on the profile's database, whose keys lie in one of their own. */
export function encryptedDisk({ database, clock }: Profile): Store {
  const place = { factory: database.factory, name: 'nearcache', clock }
  const room = { maxBytes: 1e7, maxEntryBytes: 1e6, onNotice: () => {} }
  const store = createIndexedDbStore({ ...place, ...room, keyRange: database.keyRange, random: seededRandom(7) })
  return encryptedStore(store, createKeyRing({ ...place, subtle: cipher.subtle }), { ...cipher, onNotice: () => {} })
}
