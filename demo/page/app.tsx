import { useEffect, useState } from 'react'
import { firstLanguage, LanguageContext, rememberLanguage } from './language.ts'
import { Panel } from './panel/panel.tsx'
import { Shop } from './shop/shop.tsx'

/** The shop, and beside it what its cache does. */
export function App() {
  const [language, setLanguage] = useState(firstLanguage)
  const [visit, setVisit] = useState(0)

  useEffect(() => {
    document.documentElement.lang = language
    rememberLanguage(language)
  }, [language])

  return (
    <div className="app">
      <LanguageContext value={language}>
        {/* Another visit: everything on the page is new, and read as if the visitor had just come. */}
        <Shop key={visit} onLanguage={setLanguage} />
      </LanguageContext>
      <Panel language={language} onReadAgain={() => setVisit((count) => count + 1)} />
    </div>
  )
}
