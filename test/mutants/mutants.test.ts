import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { mutants } from './mutants.ts'

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** How often each text that a mutant changes stands in its file, after the mutant's own edits before it. */
function standing({ edits }: (typeof mutants)[number]): number[] {
  const files = new Map<string, string>()
  return edits.map(({ file, find, replace }) => {
    const text = files.get(file) ?? readFileSync(fromRoot(file), 'utf8')
    files.set(
      file,
      text.replace(find, () => replace),
    )
    return text.split(find).length - 1
  })
}

test('every mutant still applies, once, and the tests that must find it are there', () => {
  const stale = mutants.filter(
    (mutant) =>
      standing(mutant).some((times) => times !== 1) || !mutant.tests.every((path) => existsSync(fromRoot(path))),
  )
  expect(stale.map(({ name }) => name)).toEqual([])
})

test('no two mutants have one name', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})
