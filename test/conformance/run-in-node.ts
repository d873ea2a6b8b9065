import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Results } from './suite.ts'

/** Runs the suite, or some of its tests, in a process of its own: the suite's modules keep what they have run. */
export async function runInNode(only?: readonly string[]): Promise<Results> {
  const program = fileURLToPath(new URL('./node-process.ts', import.meta.url))
  const child: ChildProcess = fork(program, { execArgv: ['--import', 'tsx'] })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The suite's process in Node has ended, with code ${code}`)
  })
  ended.catch(() => {})
  const told = async () => (await Promise.race([once(child, 'message'), ended]))[0]
  await told()
  child.send({ only })
  return (await told()).results
}
