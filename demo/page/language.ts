import { createContext, useContext } from 'react'

export type Language = 'en' | 'de'

const en = {
  title: 'Stoneware for every day',
  lead: 'Thrown by hand in the Westerwald, fired with beech wood, made to be used.',
  search: 'Search',
  searchFor: 'Search the shop',
  searchExample: 'vase, celadon, coffee …',
  suggestions: ['Cups', 'Celadon', 'Coffee', 'Apples'],
  basket: 'Basket',
  language: 'Language',
  pieces: 'From the last firing',
  offer: 'Offer of the day',
  offerUnknown: 'Today’s offer cannot be confirmed at the moment.',
  instead: 'instead of',
  unreachable: 'This cannot be shown at the moment.',
  again: 'Try again',
  add: 'Put into the basket',
  added: 'In the basket.',
  notAdded: 'The basket could not be changed: our server does not answer.',
  left: (count: number) =>
    count === 0 ? 'None left' : count === 1 ? 'One left on the shelf' : `${count} on the shelf`,
  leftUnknown: 'We cannot look at the shelf right now',
  asking: 'Looking at the shelf …',
  size: 'Size',
  glaze: 'Glaze',
  back: 'All pieces',
  found: (count: number, words: string) =>
    count === 0
      ? `Nothing found for “${words}”`
      : count === 1
        ? `One piece for “${words}”`
        : `${count} pieces for “${words}”`,
  emptyBasket: 'Your basket is empty.',
  basketUnknown: 'Your basket cannot be read at the moment. Nothing in it is lost.',
  basketAsOf: 'Our server does not answer. This is your basket as we last saw it.',
  total: 'Total',
  order: 'Order',
  ordered: (order: string) => `Thank you, Mara. Your order ${order} is on its way to the workshop.`,
  notOrdered: 'The order could not be placed: our server does not answer.',
  more: (name: string) => `One more: ${name}`,
  fewer: (name: string) => `One fewer: ${name}`,
  gone: 'We do not make this piece any more.',
  goneLink: 'The moon jar (no longer made)',
  compareLink: 'Side by side: fetch, TanStack Query, nearcache',
  trouble: 'Our server does not answer as it should. You see what we last knew.',
  footer: 'A demonstration: nothing here can really be bought.',
  skipToPieces: 'Skip to the content',
}

const de: typeof en = {
  title: 'Steinzeug für alle Tage',
  lead: 'Im Westerwald von Hand gedreht, mit Buchenholz gebrannt, zum Benutzen gemacht.',
  search: 'Suchen',
  searchFor: 'Im Laden suchen',
  searchExample: 'Vase, Seladon, Kaffee …',
  suggestions: ['Tasse', 'Seladon', 'Kaffee', 'Äpfel'],
  basket: 'Korb',
  language: 'Sprache',
  pieces: 'Aus dem letzten Brand',
  offer: 'Angebot des Tages',
  offerUnknown: 'Das heutige Angebot lässt sich gerade nicht bestätigen.',
  instead: 'statt',
  unreachable: 'Das lässt sich gerade nicht zeigen.',
  again: 'Noch einmal versuchen',
  add: 'In den Korb legen',
  added: 'Liegt im Korb.',
  notAdded: 'Der Korb ließ sich nicht ändern: Unser Server antwortet nicht.',
  left: (count) => (count === 0 ? 'Ausverkauft' : count === 1 ? 'Noch eines im Regal' : `${count} im Regal`),
  leftUnknown: 'Wir können gerade nicht ins Regal sehen',
  asking: 'Wir sehen im Regal nach …',
  size: 'Maße',
  glaze: 'Glasur',
  back: 'Alle Stücke',
  found: (count, words) =>
    count === 0
      ? `Nichts gefunden zu „${words}“`
      : count === 1
        ? `Ein Stück zu „${words}“`
        : `${count} Stücke zu „${words}“`,
  emptyBasket: 'Ihr Korb ist leer.',
  basketUnknown: 'Ihr Korb lässt sich gerade nicht lesen. Nichts darin ist verloren.',
  basketAsOf: 'Unser Server antwortet nicht. Das ist Ihr Korb, wie wir ihn zuletzt gesehen haben.',
  total: 'Summe',
  order: 'Bestellen',
  ordered: (order) => `Danke, Mara. Ihre Bestellung ${order} ist auf dem Weg in die Werkstatt.`,
  notOrdered: 'Die Bestellung ging nicht durch: Unser Server antwortet nicht.',
  more: (name) => `Eines mehr: ${name}`,
  fewer: (name) => `Eines weniger: ${name}`,
  gone: 'Dieses Stück machen wir nicht mehr.',
  goneLink: 'Die Mondvase (nicht mehr im Programm)',
  compareLink: 'Nebeneinander: fetch, TanStack Query, nearcache',
  trouble: 'Unser Server antwortet nicht, wie er soll. Sie sehen, was wir zuletzt wussten.',
  footer: 'Eine Vorführung: Hier gibt es nichts wirklich zu kaufen.',
  skipToPieces: 'Zum Inhalt',
}

const words: Readonly<Record<Language, typeof en>> = { en, de }

const STORAGE_KEY = 'language'

/** The language chosen before, or the browser's. */
export function firstLanguage(): Language {
  const chosen = localStorage.getItem(STORAGE_KEY)
  if (chosen === 'en' || chosen === 'de') return chosen
  return navigator.language.startsWith('de') ? 'de' : 'en'
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(STORAGE_KEY, language)
}

export const LanguageContext = createContext<Language>('en')

/** The language, its words, and how it writes a price given in cents. */
export function useWords(): { language: Language; words: typeof en; price(cents: number): string } {
  const language = useContext(LanguageContext)
  const format = new Intl.NumberFormat(language === 'de' ? 'de-DE' : 'en-IE', { style: 'currency', currency: 'EUR' })
  return { language, words: words[language], price: (cents) => format.format(cents / 100) }
}
