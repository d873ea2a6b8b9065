import { CacheProvider } from 'nearcache/react'
import { registerServiceWorker } from 'nearcache/register'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { cache } from './cache.ts'
import { readOrigin } from './panel/origin-switches.ts'
import './styles/base.css'
import './styles/shop.css'
import './styles/admin.css'
import './styles/panel.css'
import './styles/motion.css'

// The presenter may have put the origin's clock forward before a reload; the page's has to agree with it. Without a network there is nobody to ask.
await readOrigin().catch(() => {})

const root = document.getElementById('app')
if (!root) throw new Error('index.html has no element with the id "app"')
createRoot(root).render(
  <StrictMode>
    <CacheProvider cache={cache}>
      <App />
    </CacheProvider>
  </StrictMode>,
)

// After the first paint. A browser without workers has the same shop, as long as there is a network for the page itself.
registerServiceWorker('/nearcache-sw.js', { cache }).catch(console.error)
