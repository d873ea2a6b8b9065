// The worker that `nearcache sw` writes: this file, bundled, behind a line that says what was configured.
import { trackingParameters } from '../engine/tracking-parameters.ts'
import { installCache, type Route, type WorkerScope } from '../service-worker/index.ts'

declare const NEARCACHE: { readonly routes?: readonly Route[] }

/** What campaigns add to the address of a page means nothing to it, unless the route says otherwise. */
const withKey = (route: Route): Route =>
  route.kind === 'navigation' ? { key: { ignore: trackingParameters }, ...route } : route

installCache(globalThis as unknown as WorkerScope, {
  ...NEARCACHE,
  routes: [...(NEARCACHE.routes ?? []), { kind: 'navigation' } as const].map(withKey),
})
