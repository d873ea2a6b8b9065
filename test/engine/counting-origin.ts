import { expect } from 'vitest'
import type { NearCache } from '../../src/index.ts'

/** Things that wait, of which chance lets one go at a time. */
export function gates() {
  let waiting: Array<() => void> = []
  return {
    wait: () => new Promise<void>((resolve) => waiting.push(resolve)),
    count: () => waiting.length,
    open(index: number) {
      const [one] = waiting.splice(index, 1)
      one?.()
    },
    openAll() {
      const all = waiting
      waiting = []
      for (const one of all) one()
    },
  }
}

export type Gates = ReturnType<typeof gates>

/** Lets every job that is due be done. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Lets everything go on until `work` has come to its end. */
export async function end(work: Promise<unknown>, { openAll }: Gates): Promise<void> {
  let isDone = false
  const ended = work.finally(() => {
    isDone = true
  })
  ended.catch(() => {})
  while (!isDone) {
    await turn()
    openAll()
  }
  await ended
}

export const paths = ['/a', '/b', '/c'] as const
export type Path = (typeof paths)[number]

/** What a change is known to have brought: a version for each path that it covered. */
type Raised = ReadonlyArray<readonly [Path, number]>

/**
 * An origin that counts versions, and lets each step of an exchange wait until chance has it go on. `/a` and `/b` carry the tag `shelf`, `/c` carries `till`; each body says its version and its
 * path, and may be kept for a day.
 */
export function countingOrigin({ wait }: Gates) {
  const version: Record<Path, number> = { '/a': 1, '/b': 1, '/c': 1 }
  const floor: Record<Path, number> = { '/a': 1, '/b': 1, '/c': 1 }
  const raise = (covered: readonly Path[]): Raised => {
    for (const path of covered) version[path]++
    return covered.map((path) => [path, version[path]] as const)
  }

  async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const { method, url, headers, signal } = new Request(input, init)
    const path = new URL(url).pathname as Path
    if (method === 'POST') {
      await wait()
      raise([path])
      const headers = { 'x-version': String(version[path]) }
      await wait()
      return new Response(null, { status: 204, headers })
    }
    const sent = version[path]
    const etag = `"${sent}"`
    const fields = { 'cache-control': 'max-age=86400', 'cache-tag': path === '/c' ? 'till' : 'shelf', etag }
    await wait()
    signal.throwIfAborted()
    if (headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: fields })
    let part = 0
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (part++ === 0) return controller.enqueue(new TextEncoder().encode(`${sent}`))
          await wait()
          controller.enqueue(new TextEncoder().encode(`@${path}`))
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    return new Response(body, { headers: fields })
  }

  return {
    fetch,
    raise,
    /** From now on a read that starts must not get less. */
    demand(raised: Raised) {
      for (const [path, lowest] of raised) floor[path] = Math.max(floor[path], lowest)
    },
    /** Reads through `from`, and holds what comes against what is demanded at this moment. */
    async read(from: NearCache, path: Path, seed: number, init?: RequestInit): Promise<void> {
      const lowest = floor[path]
      const [got, where] = (await (await from.fetch(path, init)).text()).split('@')
      expect(where, `seed ${seed}: the body of another response`).toBe(path)
      expect(Number(got), `seed ${seed}: ${path} as it was before its purge`).toBeGreaterThanOrEqual(lowest)
    },
    /** Changes a path by an unsafe method. */
    async change(from: NearCache, path: Path): Promise<Raised> {
      const { headers } = await from.fetch(path, { method: 'POST' })
      return [[path, Number(headers.get('x-version'))]]
    },
  }
}
