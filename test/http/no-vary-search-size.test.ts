import { expect, test } from 'vitest'
import { areEquivalent, parseNoVarySearch } from '../../src/http/no-vary-search.ts'

test('very many keys against very many parameters are compared in one pass, not each with each (F-76, A-17)', () => {
  const count = 40_000
  const names = (prefix: string) => Array.from({ length: count }, (_, index) => prefix + index)
  const rule = parseNoVarySearch(
    `params=(${names('k')
      .map((name) => `"${name}"`)
      .join(' ')})`,
  )
  const url = `https://shop.example/?${names('p').join('&')}`
  expect(areEquivalent(url, `${url}&more`, rule)).toBe(false)
  expect(areEquivalent(url, `${url}&k7`, rule)).toBe(true)
})
