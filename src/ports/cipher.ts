/** What encrypts what lies on disk. */
export interface Cipher {
  readonly subtle: SubtleCrypto
  /** Fills with random bytes fit for cryptography, and returns what it filled: `getRandomValues`. */
  fillRandom(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>
}
