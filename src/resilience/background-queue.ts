import type { BackgroundQueue } from '../ports/background-queue.ts'

export interface BackgroundQueueOptions {
  /** How much is done at the same time for one origin. @default 2 */
  readonly atOnce?: number
  /** How much may wait for one origin. @default 50 */
  readonly waiting?: number
  /** Whether there is reason to leave work that nobody waits for: Save-Data, a page that is hidden. Asked before it begins. */
  isQuiet(): boolean
}

interface Waiting {
  readonly name: string | undefined
  start(): void
  drop(): void
}

/** BackgroundQueue by origin. An origin of which nothing is under way leaves nothing behind. */
export function createBackgroundQueue({ atOnce = 2, waiting = 50, isQuiet }: BackgroundQueueOptions): BackgroundQueue {
  const lines = new Map<string, { running: number; readonly queue: Waiting[] }>()

  return {
    isQuiet,
    take(url, name, work) {
      const { origin } = new URL(url)
      const line = lines.get(origin) ?? { running: 0, queue: [] }
      if (name !== undefined && line.queue.some((one) => one.name === name)) return Promise.resolve()
      lines.set(origin, line)
      return new Promise((resolve) => {
        const next = () => {
          resolve()
          line.running--
          while (line.running < atOnce && line.queue.length > 0) line.queue.shift()?.start()
          if (line.running === 0) lines.delete(origin)
        }
        const start = () => {
          line.running++
          if (isQuiet()) next()
          else work().then(next, next)
        }
        if (line.running < atOnce) return start()
        line.queue.push({ name, start, drop: resolve })
        if (line.queue.length > waiting) line.queue.shift()?.drop()
      })
    },
  }
}
