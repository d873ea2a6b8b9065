// What the pages of hooks-in-tabs.e2e.ts show. What they count stands on `globalThis.shop`, where a test reads it.
import { createRoot } from 'react-dom/client'
import { createCache } from '../../../src/index.ts'
import { CacheProvider, useFetch } from '../../../src/react/index.ts'

const cache = createCache({ deadlines: { lockMs: 60_000, diskMs: 60_000 } })
const rendered: (number | undefined)[] = []
const isRestored: boolean[] = []
const errors: string[] = []
addEventListener('pageshow', ({ persisted }) => isRestored.push(persisted))
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
  return <p>{stock.data?.left ?? '…'}</p>
}

createRoot(document.body).render(
  <CacheProvider cache={cache}>
    <Left />
  </CacheProvider>,
)

const here = { cache, rendered, isRestored, errors, refresh: () => refresh() }
declare global {
  var shop: typeof here
}
globalThis.shop = here
