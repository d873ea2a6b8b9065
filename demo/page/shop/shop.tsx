import type { FormEvent, ReactNode } from 'react'
import icon from '../../icon.svg'
import { follow, goTo, useAddress } from '../address.ts'
import { type Language, useWords } from '../language.ts'
import { useApi } from '../use-api.ts'
import { type Basket, BasketPage } from './basket-page.tsx'
import { Home } from './home.tsx'
import { PiecePage } from './piece-page.tsx'
import { SearchPage } from './search-page.tsx'
import { Trouble } from './trouble.tsx'

/** The shop as its visitors see it. */
export function Shop({ onLanguage }: { readonly onLanguage: (language: Language) => void }) {
  const address = useAddress()
  const { words } = useWords()
  return (
    <div className="shop">
      <a className="skip" href="#content">
        {words.skipToPieces}
      </a>
      <Header address={address} onLanguage={onLanguage} />
      <main id="content" tabIndex={-1}>
        {pageAt(address)}
      </main>
      <footer className="footer">
        <p>Lehmhaus · Töpfergasse 4 · Höhr-Grenzhausen</p>
        <p>
          <a href="/piece/moon-jar" onClick={follow}>
            {words.goneLink}
          </a>
        </p>
        <p>
          <a href="/compare" onClick={follow}>
            {words.compareLink}
          </a>
        </p>
        <p>{words.footer}</p>
        <p lang="en">
          <a href="/admin" onClick={follow}>
            The workshop’s price list (admin)
          </a>
        </p>
      </footer>
      <Trouble />
    </div>
  )
}

function pageAt({ pathname, searchParams }: URL): ReactNode {
  const [, first, second] = pathname.split('/')
  if (first === 'piece' && second) return <PiecePage key={second} slug={second} />
  if (first === 'basket') return <BasketPage />
  if (first === 'search')
    return <SearchPage asked={searchParams.get('q') ?? ''} from={searchParams.get('from') ?? ''} />
  return <Home />
}

function Header({ address, onLanguage }: { readonly address: URL; readonly onLanguage: (language: Language) => void }) {
  const { language, words } = useWords()
  const asked = address.pathname === '/search' ? (address.searchParams.get('q') ?? '') : ''

  function search(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const wanted = String(new FormData(event.currentTarget).get('q') ?? '').trim()
    if (wanted !== '') goTo(`/search?q=${encodeURIComponent(wanted)}&from=box`)
  }

  return (
    <header className="header">
      <a className="brand" href="/" onClick={follow}>
        <img src={icon} alt="" width="32" height="32" />
        Lehmhaus
      </a>
      <form className="search" onSubmit={search} key={asked}>
        <input
          type="search"
          name="q"
          aria-label={words.searchFor}
          placeholder={words.searchExample}
          defaultValue={asked}
          autoComplete="off"
          enterKeyHint="search"
        />
      </form>
      <fieldset className="languages">
        <legend className="unseen">{words.language}</legend>
        {(['en', 'de'] as const).map((one) => (
          <button key={one} type="button" lang={one} aria-pressed={one === language} onClick={() => onLanguage(one)}>
            <span aria-hidden="true">{one.toUpperCase()}</span>
            <span className="unseen">{one === 'en' ? 'English' : 'Deutsch'}</span>
          </button>
        ))}
      </fieldset>
      <BasketLink />
    </header>
  )
}

function BasketLink() {
  const { words } = useWords()
  const { data } = useApi<Basket>('/api/basket')
  return (
    <a className="basket-link" href="/basket" onClick={follow}>
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <path d="M4 10h16l-1.6 9.2a1 1 0 0 1-1 .8H6.6a1 1 0 0 1-1-.8zM8 10l2.5-6M16 10l-2.5-6" />
      </svg>
      <span className="basket-word">{words.basket}</span>
      <span className="count" data-testid="basket-count">
        {data?.count ?? '–'}
      </span>
    </a>
  )
}
