import type { World } from '../../src/testing/index.ts'
import { type Page, type Profile, profile } from './database-harness.ts'

/** A browser's profile, and an origin that answers whoever is signed in: cookies are the browser's, and the same for all pages. */
export interface Shop extends Profile {
  /** Who is signed in at the origin. */
  readonly session: { user: string }
  /** What a page is answered under a path that is somebody's: `/me`, and whatever begins so. */
  me(page: Page, path?: string): Promise<unknown>
  /** By the origin's new cookie and `setPartition()`. */
  signIn(page: Page, user: string): Promise<void>
  /** A page that is made for `user` while the disk is ill: it has not entered yet, and tries again when it is used. */
  openInVain(user: string): Promise<Page>
  isLeft(page: Page): boolean
}

/** @param maxAge - in seconds */
export async function shop({ user = 'anna', maxAge = 600 } = {}): Promise<Shop> {
  const all = await profile()
  const session = { user }
  all.origin.serves('/me*', () => ({ cacheControl: `private, max-age=${maxAge}`, json: { user: session.user } }))
  return {
    ...all,
    session,
    async me({ cache }, path = '/me') {
      const found = await cache.json(path)
      await cache.settled()
      return found
    },
    async signIn({ cache }, user) {
      session.user = user
      await cache.setPartition(user)
      await cache.settled()
    },
    async openInVain(user) {
      for (let nth = 1; nth <= 3; nth++) all.database.inject({ at: 'transaction', nth, fault: 'UnknownError' })
      const page = all.open({ partition: user })
      await page.cache.settled()
      all.database.release()
      return page
    },
    isLeft: ({ events }) => events.some(({ type }) => type === 'partition-left'),
  }
}

/** What work in a world comes to, when so much time has passed: its result, or what it rejects with. */
export const endIn =
  ({ clock }: Pick<World, 'clock'>, afterMs = 1_000) =>
  async (work: Promise<unknown>): Promise<unknown> => {
    const settled = work.catch((error: unknown) => error)
    await clock.settle()
    await clock.advance(afterMs)
    return settled
  }
