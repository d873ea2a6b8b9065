import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Suite } from './suite.ts'

/** The suite's server, in a process of its own. */
export interface Origin {
  /** Its address, without a slash at its end. */
  readonly base: string
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
  const port = await new Promise<number>((started, failed) => {
    child.once('message', (message) => started(message as number))
    child.once('exit', (code) => failed(new Error(`The suite's server ended at once, with code ${code}`)))
  })
  return {
    base: `http://localhost:${port}`,
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
