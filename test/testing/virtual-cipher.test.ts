import { expect, test } from 'vitest'
import { seededRandom } from '../../src/testing/index.ts'
import { virtualCipher } from '../../src/testing/virtual-cipher.ts'

const { subtle, fillRandom } = virtualCipher(seededRandom(1))
const newKey = () => subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
const bytes = (text: string) => new TextEncoder().encode(text)
const given = (place: string, iv = new Uint8Array(12)) => ({ name: 'AES-GCM', iv, additionalData: bytes(place) })
const PLAIN = bytes('{"name":"Ada"}')

test('what is encrypted is 16 bytes longer, cannot be read, and comes back as it was', async () => {
  const key = await newKey()
  const sealed = await subtle.encrypt(given('here'), key, PLAIN)
  expect(sealed.byteLength).toBe(PLAIN.byteLength + 16)
  expect(new TextDecoder('latin1').decode(sealed)).not.toContain('Ada')
  expect(new Uint8Array(await subtle.decrypt(given('here'), key, new Uint8Array(sealed)))).toEqual(PLAIN)
})

test('another key, another place, another vector and a changed byte are noticed, as AES-GCM does', async () => {
  const [key, other] = [await newKey(), await newKey()]
  const sealed = new Uint8Array(await subtle.encrypt(given('here'), key, PLAIN))
  const changed = sealed.map((byte, index) => (index === 3 ? byte ^ 1 : byte))
  const tries = [
    subtle.decrypt(given('here'), other, sealed),
    subtle.decrypt(given('there'), key, sealed),
    subtle.decrypt(given('here', new Uint8Array(12).fill(1)), key, sealed),
    subtle.decrypt(given('here'), key, changed),
  ]
  for (const one of tries) await expect(one).rejects.toMatchObject({ name: 'OperationError' })
})

test('a key is one that script cannot read, and can be kept in a database; random bytes are those of the seed', async () => {
  const key = await newKey()
  expect(structuredClone(key)).toMatchObject({ type: 'secret', extractable: false })
  expect(fillRandom(new Uint8Array(8))).not.toEqual(new Uint8Array(8))
})
