import { QueryClient } from '@tanstack/query-core'
import type { Peer } from './peer.ts'

/** In memory. Fresh for as long as the headers of the origin say, which it cannot read: said by hand. */
export const tanstackQuery: Peer = {
  name: 'TanStack Query, fetchQuery()',
  docs: 'https://tanstack.com/query/latest/docs/reference/QueryClient#queryclientfetchquery',
  open({ fetch }) {
    const client = new QueryClient()
    return {
      read: (url) =>
        client.fetchQuery({ queryKey: [url], queryFn: async () => (await fetch(url)).json(), staleTime: 3_600_000 }),
      close: () => client.clear(),
    }
  },
}
