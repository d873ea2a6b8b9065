import { expect, test } from 'vitest'
import { paths } from '../support/browsers.ts'
import { findFaults } from './compare.ts'
import { runCacheInNode } from './run-cache-in-node.ts'
import { runInChromium } from './run-in-chromium.ts'
import { openSuite } from './suite.ts'
import { judge } from './verdict.ts'

// `npm run conformance -- --check` holds more: that CONFORMANCE.md says what came of it.
const suite = await openSuite()

test('the public suite finds nothing in Node but the listed deviations (RFC 9111)', async () => {
  const run = judge(suite.sections, await runCacheInNode(suite))
  expect(findFaults(suite, 'Node', run)).toEqual([])
})

if (paths.chromium) {
  test('the public suite finds nothing in a Chromium page but the listed deviations (RFC 9111)', async () => {
    const run = judge(suite.sections, await runInChromium(suite))
    expect(findFaults(suite, 'Chromium', run)).toEqual([])
  })
}
