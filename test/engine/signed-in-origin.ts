import type { Random } from '../../src/ports/random.ts'
import type { Transport } from '../../src/ports/transport.ts'

export const users = ['user-anna', 'user-ben'] as const
export type User = (typeof users)[number]

/** The users whose names stand in a text. */
export const namesIn = (text: string): User[] => users.filter((user) => text.includes(user))

/** Says of a request that is sent whose validators it carries, and whether its sender still wants it. */
type Look = (names: readonly User[], isWanted: boolean) => void

/**
 * An origin that knows by a cookie who is signed in: all tabs of a profile are one user at a time. Each body says whose it is; each step of an exchange waits until it is let go.
 *
 * | path | whose | how it says so |
 * |---|---|---|
 * | `/public` | everyone's | |
 * | `/me`, `/of/<user>/basket` | the user's | `private` |
 * | `/feed`, `/large` | the user's | not at all: it was asked for with `credentials: 'include'`, or with `Authorization` |
 */
export function signedInOrigin(random: Random) {
  /** Who was signed in, one after the other; the last one is. */
  const history: Array<User | undefined> = [undefined]
  let waiting: Array<() => void> = []
  let serial = 0
  let version = 1
  /** When the origin had sent the whole of a body, by the order of such moments. */
  const ended = new Map<number, number>()

  function fields(path: string, owner: string): Record<string, string> {
    const kind = path.split('/').pop()
    const isPrivate = kind === 'me' || kind === 'basket'
    const windows = 'stale-while-revalidate=120, stale-if-error=600'
    return {
      'cache-control': `${isPrivate ? 'private, ' : ''}max-age=${kind === 'me' ? 5 : 60}, ${windows}`,
      'content-type': 'application/json',
      'cache-tag': 'shelf',
      ...(random() < 0.8 && { etag: `"${owner} ${kind} ${kind === 'public' ? 0 : version}"` }),
    }
  }

  /** What a tab's requests are sent by. Some know nothing of signals. */
  const transportOf =
    (look: Look): Transport =>
    async (input, init) => {
      const { method, url, headers, signal } = new Request(input, init)
      const path = new URL(url).pathname
      const owner = path === '/public' ? 'nobody' : (history.at(-1) ?? 'nobody')
      const asked = headers.get('if-none-match') ?? ''
      const isStubborn = random() < 0.2
      const mine = ++serial
      look(namesIn(asked), !signal.aborted)
      const step = async () => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          if (!isStubborn) signal.addEventListener('abort', () => resolve())
        })
        if (!isStubborn) signal.throwIfAborted()
      }
      await step()
      const sent = fields(path, owner)
      const body = JSON.stringify({
        owner,
        serial: mine,
        pad: path === '/large' ? `${owner} `.repeat(9_000) : '',
      })
      const chance = random()
      if (chance < 0.08 || method === 'POST') ended.set(mine, ended.size)
      if (method === 'POST') {
        version++
        const where = random() < 0.5 ? { 'content-location': path } : {}
        return new Response(body, { headers: { ...sent, ...where } })
      }
      if (chance < 0.03) throw new TypeError('No network')
      if (chance < 0.08) return new Response(body, { status: 503, statusText: `Sorry, ${owner}` })
      if (asked !== '' && asked === sent.etag) return new Response(null, { status: 304, headers: sent })
      if (method === 'HEAD') return new Response(null, { headers: sent })
      const bytes = new TextEncoder().encode(body)
      let part = 0
      const stream = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            if (part++ === 0) return controller.enqueue(bytes.subarray(0, 20))
            await step()
            controller.enqueue(bytes.subarray(20))
            controller.close()
            ended.set(mine, ended.size)
          },
        },
        { highWaterMark: 0 },
      )
      return new Response(stream, { headers: sent })
    }

  return {
    history,
    transportOf,
    /** Lets one of those go on that wait, or all of them. */
    release(which: 'one' | 'all') {
      if (which === 'one') return waiting.splice(Math.floor(random() * waiting.length), 1)[0]?.()
      const all = waiting
      waiting = []
      for (const go of all) go()
    },
    /** How many bodies have been sent to their ends. */
    moment: () => ended.size,
    /** Whether the whole body had been sent before that moment. */
    hadEnded: (text: string, moment: number) =>
      (ended.get(Number(/"serial":(\d+)/.exec(text)?.[1])) ?? moment) < moment,
  }
}
