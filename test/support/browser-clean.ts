import { afterAll } from 'vitest'

// All files of a session share one origin: what a file leaves behind, the next one finds.
// No deleteDatabase here: a worker that still holds a connection blocks it, and it then blocks the next file's.
afterAll(async () => {
  for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister()
  for (const name of await caches.keys()) await caches.delete(name)
})
