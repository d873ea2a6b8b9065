import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'

type Key = { readonly type: 'secret'; readonly extractable: false; readonly secret: Uint8Array }

const TAG_BYTES = 16
const bytesOf = (source: BufferSource): Uint8Array => new Uint8Array(source as ArrayBuffer)

/** AES-GCM as it is, but done at once, as virtual time wants it: the platform's takes threads, and real time. Its keys are plain data, for the deterministic database. */
export const instantCrypto = {
  getRandomValues: (bytes: Uint8Array) => randomFillSync(bytes),
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
  },
}
