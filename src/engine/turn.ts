import type { StoredResponse } from '../http/message.ts'
import type { Reuse } from '../http/steady.ts'
import { type Accept, type Arrival, type Asking, hasFailed, type Landing } from './arrival.ts'
import type { Core } from './core.ts'
import { decideNow, isReuse, never } from './decide-now.ts'
import { exchange } from './exchange.ts'
import type { Presented } from './presented.ts'

/** Whether other contexts can have any use of the response: where it may come to lie on the disk that they share, and that has not just failed. */
export const mayBeShared = ({ request, rule, credentialed }: Presented, { tabs, store, place }: Core): boolean =>
  tabs.hasTurns &&
  store.isDurable() &&
  !request.directives.noStore &&
  rule?.durable !== false &&
  (!credentialed || place.partition !== '')

/**
 * Asks the origin when it is this context's turn, so that for one key only one context does. Whoever gets the turn looks into the store first: another one may have brought what is needed. The
 * turn ends when the response is stored, or as soon as it is known that it will be of no use to others.
 *
 * @throws what `exchange` throws; the reason of `signal`
 */
export async function exchangeInTurn(
  identity: string,
  presented: Presented,
  asked: Asking,
  core: Core,
  signal: AbortSignal,
  landing: Landing,
  accept?: Accept,
): Promise<Arrival> {
  const name = turnOf(identity, core)
  // A disk that is late would not say what was waited for.
  const turn = await (presented.isDiskLate ? core.tabs.turnIfFree(name) : core.tabs.turn(name, signal))
  if (turn === 'busy') return exchange({ ...presented, isBeside: true }, asked, core, signal, landing, accept)
  if (!turn) return exchange(presented, asked, core, signal, landing, accept)
  const { leave } = turn
  try {
    const again = await lookAgain(presented, core)
    if (again && isReuse(again)) {
      leave()
      return { cause: 'collapsed', stored: again.stored }
    }
    const isAsking = again?.kind === 'validate' || again?.kind === 'forward'
    const own = turn.isTakenOver() ? { ...presented, isBeside: true } : presented
    const arrival = await exchange(own, isAsking ? again : asked, core, signal, landing, accept)
    leaveAfter(arrival, leave, identity, presented, core)
    return arrival
  } catch (error) {
    leave()
    throw error
  }
}

/** Ends the turn when others can have the response, or will not: a disk that fails, or hangs, keeps nobody waiting. */
export async function leaveAfter(
  arrival: Arrival,
  leave: () => void,
  identity: string,
  presented: Presented,
  core: Core,
): Promise<void> {
  const { stored, kept, shared } = arrival
  if (stored && kept && !stored.memoryOnly) {
    await shared?.whole.catch(() => {})
    const isThere = (await core.isInTime(kept)) && (await kept) !== false
    if (isThere && !isAskedEachTime(stored, presented, core)) return leave()
  }
  if (!hasFailed(arrival)) core.tabs.unshared(turnOf(identity, core))
  leave()
}

/** Whether nobody may use it without the origin's word, however young it is: who waits for it waits in vain. */
function isAskedEachTime(stored: StoredResponse, presented: Presented, core: Core): boolean {
  const request = { ...presented.request, cacheMode: 'default' } as const
  const again = decideNow({ ...presented, request }, { v: 1, responses: [stored] }, core, never)
  return again.cause === 'no-cache' || (!isReuse(again) && 'numbers' in again && again.numbers?.lifetimeMs === 0)
}

/** What another context has stored since; `undefined` when it has stored nothing newer, or the disk does not say so in time. */
export async function newerThan(stored: StoredResponse, presented: Presented, core: Core): Promise<Reuse | undefined> {
  const again = await lookAgain(presented, core)
  return again && isReuse(again) && again.stored.responseTime > stored.responseTime && again.numbers.staleForMs < 0
    ? again
    : undefined
}

async function lookAgain(presented: Presented, core: Core) {
  if (presented.isDiskLate) return undefined
  const reading = core.store.read(presented.key)
  if (!(await core.isInTime(reading))) return undefined
  return decideNow(presented, await reading, core, never)
}

/** Shown to nobody as it is: it may hold credentials. */
export const turnOf = (identity: string, { place }: Core): string => JSON.stringify([place.partition, identity])
