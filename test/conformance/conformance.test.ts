import { expect, test } from 'vitest'
import { findFaults } from './compare.ts'
import { runCacheInNode } from './run-cache-in-node.ts'
import { browsers, runInBrowser } from './run-in-browser.ts'
import { openSuite } from './suite.ts'
import { judge } from './verdict.ts'

// `npm run conformance -- --check` holds more: that CONFORMANCE.md says what came of it.
const suite = await openSuite()

test('the public suite finds nothing in Node but the listed deviations (RFC 9111)', async () => {
  const run = judge(suite.sections, await runCacheInNode(suite))
  expect(findFaults(suite, 'Node', run)).toEqual([])
})

test.each(browsers)(
  'the public suite finds nothing in a page of %s but the listed deviations (RFC 9111)',
  async (name) => {
    const run = judge(suite.sections, await runInBrowser(name, suite))
    expect(findFaults(suite, name, run)).toEqual([])
  },
  250_000,
)
