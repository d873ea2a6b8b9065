import { findDoubts, type Run } from './compare.ts'
import type { Environment } from './deviations.ts'
import { runInBrowser } from './run-in-browser.ts'
import { runInNode } from './run-in-node.ts'
import type { Results, Suite } from './suite.ts'
import { judge } from './verdict.ts'

/** How often what came out otherwise than expected is run once more. */
const TRIALS = 2

/**
 * Runs the suite and judges what came of it.
 *
 * The suite waits in real time, and what a busy machine answers late it takes for wrong. So what came out otherwise than expected is run once more, by itself: what is wrong stays wrong.
 */
export async function runJudged(suite: Suite, environment: Environment): Promise<Run> {
  const runOf = (only?: readonly string[]) =>
    environment === 'Node' ? runInNode(only) : runInBrowser(environment, suite, only)
  let results = await runOf()
  let run = judge(suite.sections, results)
  for (let trial = 0; trial < TRIALS; trial++) {
    const doubts = findDoubts(suite, environment, run)
    if (doubts.size === 0) break
    process.stdout.write(`${environment}: once more: ${[...doubts].join(', ')}\n`)
    const again = await runOf([...doubts])
    results = { ...results, ...Object.fromEntries([...doubts].map((id) => [id, again[id] as Results[string]])) }
    run = judge(suite.sections, results)
  }
  return run
}
