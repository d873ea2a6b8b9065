import type { RequestEntry } from './record.ts'

type Cause = RequestEntry['cause']

/** Where an answer came from, as the panel's colours tell it. */
type Source = 'store' | 'stale' | 'confirmed' | 'origin' | 'past' | 'nowhere'

interface Wording {
  readonly source: Source
  /** One sentence, in plain words. */
  readonly meaning: string
}

/** Each cause in plain words. The compiler sees to it that none is missing. */
export const causes: Readonly<Record<Cause, Wording>> = {
  fresh: { source: 'store', meaning: 'It was in the store and younger than its lifetime, so nobody was asked.' },
  'early-refresh': {
    source: 'store',
    meaning: 'It was in the store and still fresh. Since its lifetime was about to end, it is being refreshed behind.',
  },
  'stale-while-revalidate': {
    source: 'stale',
    meaning: 'Its lifetime was over, but its headers allow to show it at once while it is refreshed behind.',
  },
  'stale-if-error': {
    source: 'stale',
    meaning: 'The origin failed, and its headers allow to show the last good answer in that case.',
  },
  'soft-deadline': {
    source: 'stale',
    meaning: 'The origin took too long, so the last good answer was shown; the request goes on behind.',
  },
  offline: { source: 'stale', meaning: 'There is no network, so the last good answer was shown.' },
  'max-stale': { source: 'stale', meaning: 'Its lifetime was over, but this request accepts stale answers.' },
  validated: {
    source: 'confirmed',
    meaning: 'The origin was asked whether it is still the same. It is (304), so the stored body was used again.',
  },
  'browser-validated': {
    source: 'confirmed',
    meaning: 'The browser’s own cache asked the origin, and the content is the same as before.',
  },
  miss: { source: 'origin', meaning: 'It was not in the store, so the origin was asked.' },
  'vary-miss': {
    source: 'origin',
    meaning: 'It was in the store only in another version (Vary), so the origin was asked for this one.',
  },
  expired: {
    source: 'origin',
    meaning: 'Its lifetime was over and nothing allows to show it, so the origin was asked.',
  },
  'no-cache': { source: 'origin', meaning: 'Its headers want it confirmed each time (no-cache). It had changed.' },
  'request-directive': { source: 'origin', meaning: 'The request itself wanted the origin to be asked.' },
  purged: { source: 'origin', meaning: 'It had been purged, so the origin was asked.' },
  invalidated: {
    source: 'origin',
    meaning: 'A write had made it untrue (Location or Cache-Group-Invalidation), so the origin was asked.',
  },
  collapsed: { source: 'origin', meaning: 'The same request was already under way, and its answer was shared.' },
  method: {
    source: 'past',
    meaning: 'It changes something, so it goes to the origin. Its answer says what it made untrue.',
  },
  bypass: { source: 'past', meaning: 'It is not for the cache.' },
  'only-if-cached': { source: 'nowhere', meaning: 'It was to come from the store only, and was not there.' },
  rejected: {
    source: 'nowhere',
    meaning: 'The origin did not answer, and nothing that may be shown was in the store.',
  },
}
