import { createCache } from 'nearcache'
import { followPurgeFeed } from 'nearcache/purge-feed'
import { clock } from './clock.ts'

/** `/?softMs=60000` is for tests that want to know whether an origin failed, on a machine where that takes longer than anyone's patience. */
const softMs = Number(new URLSearchParams(location.search).get('softMs') ?? 800)

/** The whole set-up. Lifetimes, windows, languages and groups are the API's business: its headers say them. */
export const cache = createCache({
  name: 'lehmhaus',
  // Who is signed in. Each partition is a store of its own, so that private responses may be kept across reloads.
  partition: 'mara',
  // softMs: with a usable answer at hand, nobody waits longer than this for a slow origin. diskMs: while a page starts, its one thread is
  // busy and even a quick disk answers late; half a second is not yet a reason to ask the network as well.
  deadlines: { softMs, diskMs: 500 },
  clock,
})

// What the shop purges, every open tab learns at once, and one that slept when it wakes.
followPurgeFeed(cache, '/purges', { name: 'lehmhaus' })
