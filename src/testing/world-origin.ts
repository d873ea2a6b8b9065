import type { Transport } from '../ports/transport.ts'
import type { ScriptedOrigin } from './scripted-origin.ts'
import { fetchedResponse } from './scripted-response.ts'
import type { Judge } from './world-judge.ts'
import { paths, routes } from './world-routes.ts'
import type { Users } from './world-users.ts'

/** The field by which the origin and the judge know a request of the walk. */
const NUMBER = 'world-number'

/** Whose request it is, as its page says. */
const userIn = (headers: Headers): string => headers.get('authorization')?.slice('Bearer '.length) ?? ''

export interface WorldOriginParts {
  readonly origin: ScriptedOrigin
  readonly judge: Judge
  readonly users: Users
  /** The service worker, if there is one. */
  readonly serviceWorker: string | undefined
  /** A path was written to (RFC 9111 §4.4). */
  onWritten(path: string): void
}

export interface WorldOrigin {
  /** The world's paths are served from here on: a test may have played its own before. @returns whether they were not served yet */
  serve(): boolean
  /** There is something new at a path. */
  changes(path: string): void
  /** Carries a request of a context to the origin. */
  carry(context: string, ...given: Parameters<Transport>): Promise<Response>
}

/** The origin of a world: every answer says which one it is, and the judge hears of each request from its start to its end. */
export function createWorldOrigin({ origin, judge, users, serviceWorker, onWritten }: WorldOriginParts): WorldOrigin {
  const versions = new Map(paths.map((path) => [path, 1]))
  let isServed = false

  function serve(): boolean {
    if (isServed) return false
    isServed = true
    for (const { path, cacheControl, tag } of routes) {
      origin.serves(path, ({ headers }) => {
        const version = versions.get(path) as number
        const seq = Number(headers[NUMBER])
        judge.made(seq, version)
        const user = userIn(new Headers(headers))
        return {
          ...(cacheControl !== undefined && { cacheControl }),
          etag: `"${version} ${user}"`,
          json: { path, version, seq, user },
          ...(tag !== undefined && { headers: { 'cache-tag': tag } }),
        }
      })
      origin.serves(`POST ${path}`, () => ({ status: 200, json: {} }))
    }
    return true
  }

  let requests = 0
  async function carry(context: string, ...[input, init]: Parameters<Transport>): Promise<Response> {
    const path = new URL(String(input)).pathname
    if (!isServed || !paths.includes(path)) return origin.fetch(input, init)
    if ((init?.method ?? 'GET') !== 'GET') {
      const response = await origin.fetch(input, init)
      onWritten(path)
      return response
    }
    const number = ++requests
    const headers = new Headers(init?.headers)
    // What may not lie on the disk a service worker does not keep at all.
    const isUnkept = context === serviceWorker && routes.some((one) => one.path === path && one.isOffDisk)
    judge.sent(number, path, context, userIn(headers), isUnkept || users.isOutside(context) || users.isMixed())
    headers.set(NUMBER, String(number))
    const end = () => judge.ended(number)
    const fail = () => judge.failed(number)
    init?.signal?.addEventListener('abort', end)
    try {
      const response = await origin.fetch(input, { ...init, headers })
      judge.arrived(number)
      // Nobody waits for the body of an error.
      if (response.status >= 500) fail()
      if (response.body) return fetchedResponse(watched(response.body, end), response.headers, response)
      end()
      return response
    } catch (error) {
      fail()
      throw error
    }
  }

  return {
    serve,
    changes: (path) => versions.set(path, (versions.get(path) as number) + 1),
    carry,
  }
}

/** The same bytes; `end` is called when no more of them come, or nobody wants more. */
function watched(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read().catch((error: unknown) => {
          end()
          throw error
        })
        if (!done) return controller.enqueue(value)
        end()
        controller.close()
      },
      cancel(reason) {
        end()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
