/** How often at most it is tried whether fewer steps do. */
const MAX_TRIES = 200

/**
 * Which of so many steps need not be taken for something to happen: ever smaller runs of them are left out, and stay out while it still happens.
 *
 * @param happens - whether it does without these steps, known by their places
 * @see Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002
 */
export async function shrink(
  steps: number,
  happens: (without: ReadonlySet<number>) => Promise<boolean>,
): Promise<ReadonlySet<number>> {
  let without: ReadonlySet<number> = new Set()
  let tries = 0
  for (let run = Math.ceil(steps / 2); run >= 1; run = run > 1 ? Math.ceil(run / 2) : 0) {
    for (let from = 0; from < steps && tries < MAX_TRIES; from += run) {
      const more = Array.from({ length: Math.min(run, steps - from) }, (_, index) => from + index)
      const fewer = new Set([...without, ...more])
      if (fewer.size === without.size) continue
      tries++
      if (await happens(fewer)) without = fewer
    }
  }
  return without
}
