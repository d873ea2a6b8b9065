import { useSyncExternalStore } from 'react'
import { clock } from '../clock.ts'

const TICK_MS = 500

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, TICK_MS)
  return () => clearInterval(timer)
}

/** The shop's clock, twice a second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => Math.floor(clock.now() / TICK_MS) * TICK_MS)
