import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Suite } from './suite.ts'

/** The suite's server, in a process of its own. */
export interface Origin {
  /** Its address, without a slash at its end. */
  readonly base: string
  /** Has `/run` be a page with this script, once it resolves. */
  give(script: string): Promise<unknown>
  /** What that page posts to `/report`. */
  readonly report: Promise<string>
  stop(): Promise<void>
}

/** Starts the suite's request handlers behind a free port of this machine. It ends with this process at the latest. */
export async function startOrigin(suite: Suite): Promise<Origin> {
  const program = fileURLToPath(new URL('./origin-process.ts', import.meta.url))
  const child: ChildProcess = fork(program, [suite.folder, suite.handlers], {
    execArgv: ['--import', 'tsx'],
    // its handlers write a line for each request that they find wrong
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  /** The first message with something of this name. */
  const told = <T>(name: string): Promise<T> =>
    new Promise((resolve, reject) => {
      child.on('message', (message) => {
        if (name in (message as object)) resolve((message as Record<string, T>)[name] as T)
      })
      child.once('exit', (code) => reject(new Error(`The suite's server has ended, with code ${code}`)))
    })
  const report = told<string>('report')
  // Where nobody waits for it, nobody is told.
  report.catch(() => {})
  const port = await told<number>('port')
  return {
    base: `http://localhost:${port}`,
    give(script) {
      const given = told('hasScript')
      child.send({ script })
      return given
    },
    report,
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
