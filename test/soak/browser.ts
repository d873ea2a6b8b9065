import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { chromiumLaunch, paths } from '../support/browsers.ts'

/** How long Chromium may take over anything before it counts as hung, in milliseconds. */
const PATIENCE_MS = 60_000

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: { readonly name?: string; readonly payload?: string }
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** What a page or a worker holds, once everything that is of no use to it is collected. */
export interface Metrics {
  readonly heapBytes: number
  readonly listeners: number
}

/** A tab of a browser that may die at any moment. */
export interface Tab {
  /**
   * The value of an expression, awaited, as JSON has it.
   *
   * @param forMs - how long it takes by itself
   */
  evaluate(expression: string, forMs?: number): Promise<unknown>
  metrics(): Promise<Metrics>
  /** Lets the renderer crash; resolved when it has. */
  crash(): Promise<void>
}

/** A Chromium of our own, driven through a pipe. */
export interface Browser {
  /** Opens a tab that has loaded `url`. Whatever its page says by `tell(text)` reaches `onTold`, in order. */
  open(url: string, onTold: (text: string) => void): Promise<Tab>
  /** The service worker that runs. From here on Chromium does not end it for want of work. */
  worker(): Promise<Pick<Tab, 'metrics'>>
  /** SIGKILL to the whole process group, at once; resolved when it is dead and everything that it said before is told. */
  kill(): Promise<void>
}

/** Starts Chromium as the leader of a process group of its own. */
export async function launch(profile: string): Promise<Browser> {
  if (!paths.chromium) throw new Error('There is no Chromium on this machine')
  // It names the process that was killed. Should another one have its number by now, Chromium would not start.
  rmSync(join(profile, 'SingletonLock'), { force: true })
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-breakpad',
    '--disable-crash-reporter',
    '--disable-renderer-backgrounding',
    '--disable-backgrounding-occluded-windows',
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    ...chromiumLaunch.args,
    'about:blank',
  ]
  const child = spawn(paths.chromium, args, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const [, , , commands, answers] = child.stdio as unknown as [null, null, null, Writable, Readable]
  const pending = new Map<number, { resolve(result: Record<string, unknown>): void; reject(error: Error): void }>()
  const listeners = new Set<(message: Message) => void>()
  let ids = 0

  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const kill = () => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {
      // It is dead already.
    }
  }
  // Whatever ends this process takes the browser along.
  process.once('exit', kill)
  closed.then(() => {
    process.off('exit', kill)
    for (const { reject } of pending.values()) reject(new Error('Chromium has ended'))
    pending.clear()
  })
  // A pipe breaks when its other end is killed.
  commands.on('error', () => {})
  answers.on('error', () => {})

  let rest = ''
  answers.setEncoding('utf8')
  answers.on('data', (text: string) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop() ?? ''
    for (const one of messages) {
      const message = JSON.parse(one) as Message
      for (const listener of [...listeners]) listener(message)
      const waiting = pending.get(message.id ?? -1)
      if (!waiting) continue
      pending.delete(message.id as number)
      if (message.error) waiting.reject(new Error(message.error.message))
      else waiting.resolve(message.result ?? {})
    }
  })

  const inTime = <T>(what: string, work: Promise<T>, forMs = 0): Promise<T> => {
    let timer: NodeJS.Timeout
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: no answer within ${PATIENCE_MS} ms`)), forMs + PATIENCE_MS)
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
  }

  const send = (
    method: string,
    params: object = {},
    sessionId?: string,
    forMs?: number,
  ): Promise<Record<string, unknown>> => {
    const id = ++ids
    const answer = new Promise<Record<string, unknown>>((resolve, reject) => pending.set(id, { resolve, reject }))
    // Who is killed does not answer.
    answer.catch(() => {})
    commands.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`)
    return inTime(method, answer, forMs)
  }

  const once = (method: string, sessionId: string): Promise<void> =>
    inTime(
      method,
      new Promise((resolve, reject) => {
        const listener = (message: Message) => {
          if (message.method !== method || message.sessionId !== sessionId) return
          listeners.delete(listener)
          resolve()
        }
        listeners.add(listener)
        closed.then(() => reject(new Error('Chromium has ended')))
      }),
    )

  /** Twice: what a finalizer lets go of is collected the second time. */
  async function collect(sessionId: string): Promise<void> {
    for (let time = 0; time < 2; time++) await send('HeapProfiler.collectGarbage', {}, sessionId)
  }

  async function worker(): Promise<Pick<Tab, 'metrics'>> {
    const { targetInfos } = (await send('Target.getTargets')) as { targetInfos: { targetId: string; type: string }[] }
    const target = targetInfos.find(({ type }) => type === 'service_worker')
    if (!target) throw new Error('No service worker runs')
    const { targetId } = target
    const { sessionId } = (await send('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string }
    return {
      // A worker has no counters of its own: its listeners are those of its global scope.
      async metrics() {
        await collect(sessionId)
        const { usedSize } = (await send('Runtime.getHeapUsage', {}, sessionId)) as { usedSize: number }
        const counting = {
          expression: 'Object.values(getEventListeners(self)).flat().length',
          includeCommandLineAPI: true,
          returnByValue: true,
        }
        const { result } = (await send('Runtime.evaluate', counting, sessionId)) as { result: { value?: number } }
        return { heapBytes: usedSize, listeners: result.value ?? Number.NaN }
      },
    }
  }

  async function open(url: string, onTold: (text: string) => void): Promise<Tab> {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = (await send('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string }
    listeners.add(({ sessionId: from, method, params }) => {
      if (from === sessionId && method === 'Runtime.bindingCalled' && params?.name === 'tell')
        onTold(params.payload ?? '')
    })
    await Promise.all([
      send('Page.enable', {}, sessionId),
      send('Inspector.enable', {}, sessionId),
      send('Runtime.enable', {}, sessionId),
      send('Runtime.addBinding', { name: 'tell' }, sessionId),
    ])
    await Promise.all([once('Page.loadEventFired', sessionId), send('Page.navigate', { url }, sessionId)])
    return {
      async evaluate(expression, forMs) {
        const { result, exceptionDetails } = (await send(
          'Runtime.evaluate',
          { expression, awaitPromise: true, returnByValue: true },
          sessionId,
          forMs,
        )) as { result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } }
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'The page has thrown')
        return result.value
      },
      async metrics() {
        await send('Performance.enable', {}, sessionId)
        await collect(sessionId)
        const { metrics } = await send('Performance.getMetrics', {}, sessionId)
        const metric = (wanted: string) =>
          (metrics as { name: string; value: number }[]).find(({ name }) => name === wanted)?.value ?? Number.NaN
        return { heapBytes: metric('JSHeapUsedSize'), listeners: metric('JSEventListeners') }
      },
      async crash() {
        const crashed = once('Inspector.targetCrashed', sessionId)
        // Its answer never comes.
        send('Page.crash', {}, sessionId).catch(() => {})
        await crashed
      },
    }
  }

  return {
    open,
    worker,
    async kill() {
      kill()
      await inTime('The death of Chromium', closed)
    },
  }
}
