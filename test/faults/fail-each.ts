import type { DatabasePoint } from '../../src/testing/index.ts'
import { judge, type Operation, type World, world } from './public-operations.ts'

/** Of an operation's calls, each so-many-th is failed, from the first on: all of them with FAULT_STRIDE=1, as in `npm run faults`. */
const STRIDE = Number(process.env.FAULT_STRIDE ?? 7)

/** More than any operation needs. */
const ENOUGH = 200

/** Runs an operation again and again, each time with another call failing, until none does. Gives how often that was, and what broke a law. */
export async function failEach(
  operation: Operation,
  fail: (world: World, nth: number) => Promise<{ wasStruck: boolean; broken: string[] }>,
  usual?: Parameters<typeof world>[0],
) {
  const broken: string[] = []
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', onUnhandled)
  try {
    for (let nth = 1; nth <= ENOUGH; nth += STRIDE) {
      const outcome = await fail(await world(usual), nth)
      broken.push(...outcome.broken.map((about) => `call ${nth}: ${about}`))
      if (!outcome.wasStruck) return { failed: nth - 1, broken, unhandled }
    }
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
  throw new Error(`${operation.name} needs more than ${ENOUGH} storage calls`)
}

/** An operation while IndexedDB fails at its n-th call of one kind. */
export const failAt =
  (operation: Operation, at: DatabasePoint, fault: string) =>
  async (here: World, nth: number): Promise<{ wasStruck: boolean; broken: string[] }> => {
    const before = here.database.count(at)
    here.database.inject({ at, nth, fault })
    let wasStruck = false
    const heal = () => {
      wasStruck = here.database.count(at) - before >= nth
      here.database.release()
    }
    const broken = await judge(here, here.page(), operation, heal, false)
    return { wasStruck, broken }
  }
