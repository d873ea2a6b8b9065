import { StrictMode } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { readDehydrated } from '../../../src/hydration/index.ts'
import { createCache } from '../../../src/index.ts'
import { CacheProvider } from '../../../src/react/index.ts'
import { App } from './app.tsx'

const cache = createCache({ name: 'ssr' })
const takeOver = () => cache.hydrate(readDehydrated())
takeOver()
// A server that streams sends more, before each part that needs it.
const arriving = new MutationObserver(takeOver)
arriving.observe(document, { childList: true, subtree: true })
addEventListener('DOMContentLoaded', () => arriving.disconnect())

hydrateRoot(
  document.getElementById('root') as HTMLElement,
  <StrictMode>
    <CacheProvider cache={cache}>
      <App />
    </CacheProvider>
  </StrictMode>,
  { onRecoverableError: (error) => console.error(error) },
)
Object.assign(window, { ssr: { cache } })
