import { useEffect, useState } from 'react'
import { useAddress } from './address.ts'
import { Admin } from './admin/admin.tsx'
import { firstLanguage, LanguageContext, rememberLanguage } from './language.ts'
import { Panel } from './panel/panel.tsx'
import { Shop } from './shop/shop.tsx'
import { VisitContext } from './use-resource.ts'

/** The shop, and beside it what its cache does. */
export function App() {
  const [language, setLanguage] = useState(firstLanguage)
  const [visit, setVisit] = useState(0)
  const { pathname } = useAddress()

  useEffect(() => {
    document.documentElement.lang = language
    rememberLanguage(language)
  }, [language])

  return (
    <div className="app">
      <LanguageContext value={language}>
        <VisitContext value={visit}>
          {pathname === '/admin' ? <Admin /> : <Shop onLanguage={setLanguage} />}
        </VisitContext>
      </LanguageContext>
      <Panel language={language} onReadAgain={() => setVisit((count) => count + 1)} />
    </div>
  )
}
