import { lazy, Suspense, useEffect, useState } from 'react'
import { useAddress } from './address.ts'
import { Admin } from './admin/admin.tsx'
import { firstLanguage, LanguageContext, rememberLanguage } from './language.ts'
import { Panel } from './panel/panel.tsx'
import { Shop } from './shop/shop.tsx'

// What it compares with is loaded only where it is looked at.
const Compare = lazy(() => import('./compare/compare.tsx').then((module) => ({ default: module.Compare })))

/** The shop, and beside it what its cache does. */
export function App() {
  const [language, setLanguage] = useState(firstLanguage)
  const [visit, setVisit] = useState(0)
  const { pathname } = useAddress()

  useEffect(() => {
    document.documentElement.lang = language
    rememberLanguage(language)
  }, [language])

  if (pathname === '/compare') {
    return (
      <div className="app">
        <Suspense>
          <Compare />
        </Suspense>
      </div>
    )
  }

  return (
    <div className="app">
      <LanguageContext value={language}>
        {/* Another visit: everything on the page is new, and read as if the visitor had just come. */}
        {pathname === '/admin' ? <Admin key={visit} /> : <Shop key={visit} onLanguage={setLanguage} />}
      </LanguageContext>
      <Panel language={language} onReadAgain={() => setVisit((count) => count + 1)} />
    </div>
  )
}
