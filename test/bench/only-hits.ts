/**
 * Does `work` while nothing may reach the origin: a read that goes there is no hit, and is not measured as one.
 *
 * @param asked - how often the origin has been asked so far
 * @throws where it was asked meanwhile
 */
export async function onlyHits<T>(asked: () => number | Promise<number>, work: () => Promise<T>): Promise<T> {
  const before = await asked()
  const done = await work()
  const went = (await asked()) - before
  if (went > 0) throw new Error(`${went} reads went to the origin`)
  return done
}
