import { expect, test } from 'vitest'
import { createPlace } from '../../src/engine/place.ts'
import { createReader } from '../../src/engine/presented.ts'

const URLS = 6_000

test('of more URLs asked for in turn than are remembered, many are read once; and they are no more than 4,000', () => {
  const read = createReader(createPlace({}, '', () => 'https://origin.test/', undefined))
  const urls = Array.from({ length: URLS }, (_, index) => `/item/${index}`)
  for (const url of urls) read(url)
  const before = urls.map((url) => read(url))
  const same = urls.filter((url, index) => read(url) === before[index]).length
  expect(same).toBeGreaterThan(URLS / 6)
  expect(same).toBeLessThanOrEqual(4_000)
})
