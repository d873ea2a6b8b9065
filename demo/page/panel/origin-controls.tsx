import { useEffect, useState } from 'react'
import { cache } from '../cache.ts'
import { changePrices, type Mood, readOrigin, setMood, skip } from './origin-switches.ts'

const moods: ReadonlyArray<{ readonly mood: Mood; readonly name: string; readonly effect: string }> = [
  {
    mood: 'well',
    name: 'Well',
    effect:
      'The API answers. What is fresh comes from the store; what is stale is shown at once and refreshed behind, where its headers allow it.',
  },
  {
    mood: 'slow',
    name: 'Slow',
    effect:
      'The API takes 2 seconds. What is in the store is shown without waiting for it, or after 0.8 seconds at the latest, where a stale answer is allowed.',
  },
  {
    mood: 'ill',
    name: 'Ill',
    effect:
      'The API answers 503. Pieces and pictures go on (stale-if-error). The offer (must-revalidate) and the basket (no-cache) may not be shown unconfirmed, and are not.',
  },
  {
    mood: 'dead',
    name: 'Dead',
    effect:
      'Nothing answers: the API and the page’s own server close every connection. The shop goes on from its store, also after a reload, since the service worker has the page.',
  },
]

/** The switches: how the origin feels, and what the visitor or the presenter does. */
export function OriginControls({ onReadAgain }: { onReadAgain(): void }) {
  const [mood, showMood] = useState<Mood>('well')
  const current = moods.find((one) => one.mood === mood)

  useEffect(() => {
    readOrigin().then(
      (origin) => showMood(origin.mood),
      () => {},
    )
  }, [])

  async function reload() {
    await cache.settled()
    location.reload()
  }

  return (
    <section className="controls" aria-label="Switches">
      <fieldset className="moods">
        <legend>The shop’s API is</legend>
        <div className="choices">
          {moods.map((one) => (
            <label key={one.mood}>
              <input
                type="radio"
                name="mood"
                value={one.mood}
                checked={one.mood === mood}
                onChange={() => setMood(one.mood).then((origin) => showMood(origin.mood))}
              />
              <span>{one.name}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <p className="effect" aria-live="polite" data-testid="effect">
        {current?.effect}
      </p>
      <div className="actions">
        <button type="button" onClick={onReadAgain} title="The shop reads everything on the page again">
          Read again
        </button>
        <button type="button" onClick={reload} title="Loads the page again, once all is written to disk">
          Reload page
        </button>
        <button
          type="button"
          onClick={() => skip(15_000)}
          title="Puts the clocks of the page and of the origin forward"
        >
          Skip 15 s
        </button>
        <button
          type="button"
          onClick={() => skip(300_000)}
          title="Puts the clocks of the page and of the origin forward"
        >
          Skip 5 min
        </button>
        <button
          type="button"
          onClick={() => changePrices()}
          title="At the origin: every piece costs a euro more, or less again"
        >
          Change prices
        </button>
        <button
          type="button"
          onClick={() => cache.purge({ tag: 'products' })}
          title="Stale from now on: shown while it is refreshed"
        >
          Purge products, soft
        </button>
        <button
          type="button"
          onClick={() => cache.purge({ tag: 'products' }, { mode: 'hard' })}
          title="Never shown again, not even when the origin fails"
        >
          Purge products, hard
        </button>
        <button type="button" onClick={() => cache.purge({ all: true }, { mode: 'hard' })} title="Empties the store">
          Forget everything
        </button>
      </div>
    </section>
  )
}
