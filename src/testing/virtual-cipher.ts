import type { Cipher } from '../ports/cipher.ts'
import type { Random } from '../ports/random.ts'
import { seededRandom } from './seeded-random.ts'

/** What stands for a key: plain data, so that a database can keep it. */
interface VirtualKey {
  readonly type: 'secret'
  readonly extractable: false
  readonly secret: number
}

const TAG_BYTES = 16

/**
 * A cipher for a deterministic world: the same shapes, failures and sizes as AES-GCM, at once and the same each time. It hides bytes from whoever looks at the disk, and notices another key, another
 * place and a changed byte; against an attacker it is worth nothing.
 */
export function virtualCipher(random: Random): Cipher {
  const subtle = {
    generateKey: async (): Promise<VirtualKey> => ({
      type: 'secret',
      extractable: false,
      secret: Math.floor(random() * 2 ** 32),
    }),
    async encrypt(given: AesGcmParams, key: VirtualKey, plain: Uint8Array): Promise<ArrayBuffer> {
      const sealed = new Uint8Array(plain.byteLength + TAG_BYTES)
      sealed.set(masked(plain, given, key))
      sealed.set(tagOf(plain, given, key), plain.byteLength)
      return sealed.buffer
    },
    async decrypt(given: AesGcmParams, key: VirtualKey, sealed: Uint8Array): Promise<ArrayBuffer> {
      const plain = masked(sealed.subarray(0, -TAG_BYTES), given, key)
      const tag = tagOf(plain, given, key)
      if (!sealed.subarray(-TAG_BYTES).every((byte, index) => byte === tag[index]))
        throw new DOMException('The operation failed for an operation-specific reason', 'OperationError')
      return plain.buffer
    },
  }
  return {
    subtle: subtle as unknown as SubtleCrypto,
    fillRandom(bytes) {
      for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(random() * 256)
      return bytes
    },
  }
}

const bytesOf = (source: BufferSource | undefined): Uint8Array => {
  if (!source) return new Uint8Array()
  return source instanceof ArrayBuffer
    ? new Uint8Array(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
}

/** FNV-1a over all of it. */
function hashOf(...parts: readonly Uint8Array[]): number {
  let hash = 0x811c9dc5
  for (const part of parts) for (const byte of part) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

const streamOf = ({ iv }: AesGcmParams, { secret }: VirtualKey): Random => seededRandom(hashOf(bytesOf(iv)) ^ secret)

function masked(bytes: Uint8Array, given: AesGcmParams, key: VirtualKey): Uint8Array<ArrayBuffer> {
  const next = streamOf(given, key)
  return Uint8Array.from(bytes, (byte) => byte ^ Math.floor(next() * 256))
}

function tagOf(plain: Uint8Array, given: AesGcmParams, key: VirtualKey): Uint8Array {
  const next = seededRandom(hashOf(plain, bytesOf(given.additionalData)) ^ hashOf(bytesOf(given.iv)) ^ key.secret)
  return Uint8Array.from({ length: TAG_BYTES }, () => Math.floor(next() * 256))
}
