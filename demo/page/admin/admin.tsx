import { type FormEvent, useState } from 'react'
import icon from '../../icon.svg'
import { follow } from '../address.ts'
import { setPrice } from '../panel/origin-switches.ts'
import { useApi } from '../use-api.ts'

/** A piece, as far as this page cares. Prices are in cents. */
interface Priced {
  readonly slug: string
  readonly name: string
  readonly price: number
}

/** Where the workshop changes its prices. The origin purges what shows a price, and every open shop shows the new one. */
export function Admin() {
  const { data: pieces } = useApi<readonly Priced[]>('/api/products')
  return (
    <div className="shop admin" lang="en">
      <header className="header">
        <a className="brand" href="/" onClick={follow}>
          <img src={icon} alt="" width="32" height="32" />
          Lehmhaus
        </a>
        <a className="basket-link" href="/" onClick={follow}>
          To the shop
        </a>
      </header>
      <main id="content" tabIndex={-1}>
        <h1>Prices</h1>
        <p>Open the shop in other tabs, and change a price here: each of them shows it at once.</p>
        <ul className="prices">
          {pieces?.map((piece) => (
            // A new price begins a new row: what was typed before it is void.
            <PriceRow key={`${piece.slug} ${piece.price}`} piece={piece} />
          ))}
        </ul>
      </main>
    </div>
  )
}

function PriceRow({ piece: { slug, name, price } }: { readonly piece: Priced }) {
  const [outcome, setOutcome] = useState<'saving' | 'failed'>()

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const euros = Number(String(new FormData(event.currentTarget).get('price')).replace(',', '.'))
    setOutcome('saving')
    await setPrice(slug, Math.round(euros * 100)).then(
      () => setOutcome(undefined),
      () => setOutcome('failed'),
    )
  }

  return (
    <li>
      <form onSubmit={save}>
        <label>
          <span>{name}</span>
          <input
            name="price"
            type="text"
            pattern="\d{1,4}([.,]\d{1,2})?"
            title="An amount in euros, as 47.50"
            autoComplete="off"
            required
            defaultValue={(price / 100).toFixed(2)}
            inputMode="decimal"
          />
        </label>
        <span aria-hidden="true">€</span>
        <button type="submit" disabled={outcome === 'saving'}>
          Save<span className="unseen"> {name}</span>
        </button>
        <output>{outcome === 'failed' ? 'Not saved: the workshop does not answer' : ''}</output>
      </form>
    </li>
  )
}
