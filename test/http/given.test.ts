import { expect, test } from 'vitest'
import { given } from '../../src/http/given.ts'

test('what is undefined or false is absent, everything else is there', () => {
  interface Example {
    readonly a: number
    readonly b?: string
    readonly c?: true
    readonly d?: readonly string[]
  }
  expect(given<Example>({ a: 0, b: '', c: false, d: undefined })).toEqual({ a: 0, b: '' })
  expect(Object.keys(given<Example>({ a: 0, b: '', c: false, d: undefined }))).toEqual(['a', 'b'])
  expect(given<Example>({ a: 1, b: undefined, c: true, d: [] })).toEqual({ a: 1, c: true, d: [] })
  // @ts-expect-error a field that is required cannot be left out
  expect(given<Example>({ a: undefined, b: undefined, c: undefined, d: undefined })).toEqual({})
})
