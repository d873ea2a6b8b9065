// What the pages of hooks-in-tabs.e2e.ts show. What they count stands on `globalThis.shop`, where a test reads it.
import { useEffect } from 'react'
import { createRoot } from 'react-dom/client'
import { createCache } from '../../../src/index.ts'
import { CacheProvider, useFetch } from '../../../src/react/index.ts'

const cache = createCache({ deadlines: { lockMs: 60_000, diskMs: 60_000 } })
const rendered: (number | undefined)[] = []
let isRestored = false
const errors: string[] = []
addEventListener('pageshow', ({ persisted }) => {
  isRestored = persisted
})
addEventListener('error', ({ message }) => errors.push(message))
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))

interface Stock {
  readonly left: number
}
let refresh = async () => {}

function Left() {
  const stock = useFetch<Stock>('/stock')
  refresh = stock.refresh
  rendered.push(stock.data?.left)
  useEffect(() => {
    if (stock.data && isRestored) fetch('/restored', { method: 'POST', body: String(stock.data.left) })
  })
  return <p>{stock.data?.left ?? '…'}</p>
}

createRoot(document.body).render(
  <CacheProvider cache={cache}>
    <Left />
  </CacheProvider>,
)

const here = { cache, rendered, errors, refresh: () => refresh() }
declare global {
  var shop: typeof here
}
globalThis.shop = here
