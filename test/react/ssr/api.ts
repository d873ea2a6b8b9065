import type { RequestListener } from 'node:http'

/** The API of the example, which knows its users by a cookie; and what was asked of it. */
export function exampleApi(): { readonly listener: RequestListener; readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    listener(request, response) {
      const path = request.url ?? '/'
      const user = /user=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'nobody'
      asked.push(`${path} ${user}`)
      const send = (cacheControl: string, body: unknown) =>
        response
          .writeHead(200, { 'content-type': 'application/json', 'cache-control': cacheControl })
          .end(JSON.stringify(body))
      if (path === '/api/product') send('max-age=600', { name: 'Cup </script><b>' })
      else if (path === '/api/me') send('private, max-age=600', { user })
      else send('no-store', { left: 5 })
    },
  }
}
