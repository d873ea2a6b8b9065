import type { Ms } from '../http/message.ts'
import type { Core } from './core.ts'
import type { Presented } from './presented.ts'
import { letGo, respond } from './respond.ts'

/**
 * Reads anew what somebody looks at and a purge has taken: each at a random moment within `spreadMs`, so that a fleet of browsers that were told of one purge does not come back at once.
 *
 * @param isOver - whether the partition was left, or the cache closed: then nothing more is asked for
 */
export function refill(looked: readonly Presented[], spreadMs: Ms, core: Core, isOver: () => boolean): void {
  for (const presented of looked) {
    const read = async () => {
      if (spreadMs > 0) await core.sleep(core.random() * spreadMs)
      if (!isOver()) await letGo(await respond(presented, core))
    }
    // What fails here is told as everywhere; who looks reads again in any case.
    core.background(
      read().catch((error) => core.emit({ type: 'failed', url: presented.request.url, error }, presented)),
    )
  }
}
