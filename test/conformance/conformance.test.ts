import { expect, test } from 'vitest'
import { findFaults } from './compare.ts'
import type { Environment } from './deviations.ts'
import { browsers } from './run-in-browser.ts'
import { runJudged } from './run-judged.ts'
import { openSuite } from './suite.ts'

// `npm run conformance -- --check` holds more: that CONFORMANCE.md says what came of it.
const suite = await openSuite()
const environments: readonly Environment[] = ['Node', ...browsers]

// Most of it is waiting.
test.concurrent.each(environments)(
  'the public suite finds nothing in %s but the listed deviations (RFC 9111)',
  async (environment) => {
    expect(findFaults(suite, environment, await runJudged(suite, environment))).toEqual([])
  },
  500_000,
)
