import type { RequestListener } from 'node:http'

/** The API of the example, which knows its users by a cookie. */
export interface ExampleApi {
  readonly listener: RequestListener
  /** What was asked of it, and by whom. */
  readonly asked: string[]
  /** Answers to this path wait; returns what lets them go. */
  hold(path: string): () => void
}

export function exampleApi(): ExampleApi {
  const asked: string[] = []
  const held = new Map<string, Promise<void>>()
  return {
    asked,
    hold(path) {
      let release = () => {}
      held.set(
        path,
        new Promise((resolve) => {
          release = resolve
        }),
      )
      return () => release()
    },
    async listener(request, response) {
      const path = request.url ?? '/'
      const user = /user=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'nobody'
      asked.push(`${path} ${user}`)
      await held.get(path)
      const send = (cacheControl: string, body: unknown) =>
        response
          .writeHead(200, { 'content-type': 'application/json', 'cache-control': cacheControl })
          .end(JSON.stringify(body))
      if (path === '/api/product') send('max-age=600', { name: 'Cup </script><b>' })
      else if (path === '/api/reviews') send('max-age=600', ['fine', 'blue'])
      else if (path === '/api/me') send('private, max-age=600', { user })
      else send('no-store', { left: 5 })
    },
  }
}
