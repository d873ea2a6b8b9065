import { expect, test } from 'vitest'
import type { KeyRing } from '../../src/stores/key-ring.ts'

/** What an encrypted store needs of the platform. */
export const realCrypto = {
  subtle: crypto.subtle,
  fillRandom: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
}

/** Keys in memory, for tests to take out and to put back. */
export function memoryKeyRing(): KeyRing & { readonly keys: Map<string, Promise<CryptoKey>> } {
  const keys = new Map<string, Promise<CryptoKey>>()
  return {
    keys,
    find: async (partition) => keys.get(partition),
    async keyFor(partition) {
      const key =
        keys.get(partition) ??
        crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
      keys.set(partition, key)
      return key
    },
    async drop(partition) {
      keys.delete(partition)
    },
    async keepOnly(partition) {
      for (const name of keys.keys()) if (name !== partition) keys.delete(name)
    },
  }
}

const IV = new Uint8Array(12)

/** Whether the two are one key: what the one encrypts, the other decrypts. */
async function areSame(one: CryptoKey | undefined, other: CryptoKey | undefined): Promise<boolean> {
  if (!one || !other) return false
  const algorithm = { name: 'AES-GCM', iv: IV }
  const sealed = await crypto.subtle.encrypt(algorithm, one, new Uint8Array(3))
  return crypto.subtle.decrypt(algorithm, other, sealed).then(
    () => true,
    () => false,
  )
}

/**
 * What every key ring promises.
 *
 * @param another - gives one more context on the same keys; none had been there before the test
 */
export function keyRingTests(createPlace: () => Promise<{ another(): KeyRing }>): void {
  test('a key is made on first use, and stays', async () => {
    const ring = (await createPlace()).another()
    expect(await ring.find('anna')).toBeUndefined()
    const key = await ring.keyFor('anna')
    expect(await areSame(key, await ring.keyFor('anna'))).toBe(true)
    expect(await areSame(key, await ring.find('anna'))).toBe(true)
  })

  test('it is for AES-GCM with 256 bits, and nobody can read it', async () => {
    const ring = (await createPlace()).another()
    await ring.keyFor('anna')
    const key = (await ring.find('anna')) as CryptoKey
    expect(key.algorithm).toEqual({ name: 'AES-GCM', length: 256 })
    expect([key.type, key.extractable, [...key.usages].sort()]).toEqual(['secret', false, ['decrypt', 'encrypt']])
    for (const format of ['raw', 'jwk'] as const)
      await expect(crypto.subtle.exportKey(format, key)).rejects.toBeInstanceOf(DOMException)
  })

  test('each partition has its own, whatever its name', async () => {
    const ring = (await createPlace()).another()
    const names = ['anna', 'Anna', 'a\0', 'a', '\ud800', '\ufffd', '__proto__', 'constructor']
    const keys: CryptoKey[] = []
    for (const name of names) keys.push(await ring.keyFor(name))
    for (const [at, key] of keys.entries())
      for (const [index, name] of names.entries()) expect(await areSame(key, await ring.find(name))).toBe(index === at)
  })

  test('two contexts that ask at once are given the same one', async () => {
    const place = await createPlace()
    const rings = [place.another(), place.another()]
    const keys = await Promise.all([...rings, ...rings].map((ring) => ring.keyFor('anna')))
    for (const key of keys) expect(await areSame(key, keys[0])).toBe(true)
  })

  test('it survives the context that made it', async () => {
    const place = await createPlace()
    const ring = place.another()
    const key = await ring.keyFor('anna')
    await ring.close?.()
    expect(await areSame(key, await place.another().find('anna'))).toBe(true)
  })

  test('a key that is dropped is gone in every context at once, and the next one is another', async () => {
    const place = await createPlace()
    const [ring, other] = [place.another(), place.another()]
    const key = await ring.keyFor('anna')
    await other.keyFor('ben')
    await ring.drop('anna')
    expect(await other.find('anna')).toBeUndefined()
    expect(await areSame(key, await other.keyFor('anna'))).toBe(false)
    expect(await ring.find('ben')).toBeDefined()
    await ring.drop('nobody')
  })

  test('all keys but one are dropped together', async () => {
    const place = await createPlace()
    const ring = place.another()
    for (const name of ['anna', 'ben', 'carla']) await ring.keyFor(name)
    await ring.keepOnly('ben')
    const found = await Promise.all(['anna', 'ben', 'carla'].map((name) => place.another().find(name)))
    expect(found.map((key) => key !== undefined)).toEqual([false, true, false])
    await ring.keepOnly('')
    expect(await ring.find('ben')).toBeUndefined()
  })

  test('after close() it opens anew', async () => {
    const ring = (await createPlace()).another()
    const key = await ring.keyFor('anna')
    await ring.close?.()
    expect(await areSame(key, await ring.find('anna'))).toBe(true)
  })
}
