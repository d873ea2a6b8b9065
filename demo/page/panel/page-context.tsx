import { useEffect, useState } from 'react'

/** A page that was controlled when its script began has come through the worker: Firefox does not say so in the navigation's timing. */
const byWorker = navigator.serviceWorker?.controller != null

/** Where the page itself came from: what its requests for data do is the list's business. */
export function PageContext() {
  const [isReady, setReady] = useState(false)
  useEffect(() => {
    navigator.serviceWorker?.ready.then(() => setReady(true))
  }, [])
  return (
    <p className="page-context" data-testid="page-context" data-context={byWorker ? 'worker' : 'network'}>
      <span className="chip">{byWorker ? 'worker' : 'network'}</span>
      <span>
        {byWorker
          ? 'The page and its scripts came from the service worker: no network was needed.'
          : isReady
            ? 'The page came from the network. The service worker has it now: choose “Dead” and reload.'
            : 'The page came from the network. A service worker is being installed.'}
      </span>
    </p>
  )
}
