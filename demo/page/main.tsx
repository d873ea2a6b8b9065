import { CacheProvider } from 'nearcache/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { cache } from './cache.ts'
import { readOrigin } from './panel/origin-switches.ts'
import './styles/base.css'
import './styles/shop.css'
import './styles/panel.css'
import './styles/motion.css'

// The presenter may have put the origin's clock forward before a reload; the page's has to agree with it.
await readOrigin()

const root = document.getElementById('app')
if (!root) throw new Error('index.html has no element with the id "app"')
createRoot(root).render(
  <StrictMode>
    <CacheProvider cache={cache}>
      <App />
    </CacheProvider>
  </StrictMode>,
)
