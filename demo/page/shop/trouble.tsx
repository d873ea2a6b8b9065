import type { CacheEvent } from 'nearcache'
import { useEffect, useState } from 'react'
import { cache } from '../cache.ts'
import { useWords } from '../language.ts'

/** Says so when the origin is in trouble and the shop goes on without it. */
export function Trouble() {
  const { words } = useWords()
  const [isTroubled, setTroubled] = useState(false)

  useEffect(
    () =>
      cache.on((event) => {
        const sign = signOf(event)
        if (sign !== undefined) setTroubled(sign === 'trouble')
      }),
    [],
  )

  return (
    <p className="trouble" role="status" data-shown={isTroubled}>
      {isTroubled && words.trouble}
    </p>
  )
}

/** What an event tells of the origin; most tell nothing. */
function signOf(event: CacheEvent): 'trouble' | 'health' | undefined {
  if (event.type === 'failed' || event.type === 'rejected') return 'trouble'
  if (event.type === 'freshened' || event.type === 'stored') return 'health'
  if (event.type !== 'answered') return undefined
  if (event.cause === 'stale-if-error' || event.cause === 'soft-deadline' || event.status >= 500) return 'trouble'
  return event.cause === 'validated' || event.cause === 'method' ? 'health' : undefined
}
