import { createCache, type NearCache } from '../../src/index.ts'
import type { Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { seededRandom, type VirtualIndexedDb, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { namesIn, signedInOrigin, type User, users } from './signed-in-origin.ts'

/** One page, for as long as its process lives: what it has entered, and since when in the history of who was signed in. */
export interface Tab {
  readonly cache: NearCache
  user: User | undefined
  /** Whose data lay in its partition before. */
  met: ReadonlySet<User>
  /** Whose partition it was left in. */
  former: User | undefined
  /** Whether another tab has entered another partition: then everything bypasses. */
  isLeft: boolean
  since: number
  /** How often it has entered, and how often it has entered or was left. */
  sittings: number
  lives: number
  /** Of each of these lives: whose data it may have seen. */
  readonly endings: Array<ReadonlyArray<User | undefined>>
  /** When its last sitting ended, in the order of bodies sent. */
  moment: number
}

/** Errors with what they say, and bytes as the text that they are. */
const shown = (_: string, part: unknown) =>
  part instanceof Uint8Array ? new TextDecoder('latin1').decode(part) : part instanceof Error ? `${part}` : part
export const textOf = (value: unknown): string => JSON.stringify(value, shown) ?? ''

/** A browser profile on which two users take turns, and the law that nobody sees a byte of the other. */
export async function sharedProfile(seed: number) {
  const random = seededRandom(seed)
  const clock = virtualClock()
  const database = await virtualIndexedDB()
  const origin = signedInOrigin(random)
  const broken: string[] = []
  /** Pages that may still do something, shown or not. */
  const tabs = new Set<Tab>()
  /** By partition: others whose data its rows may hold, since they were signed in while a page was in it (FAULTS F-67). */
  const mixed = new Map<User, Set<User>>(users.map((user) => [user, new Set()]))
  const isSmall = random() < 0.3
  const inlineBytes = random() < 0.5 ? 0 : 65_536

  const law = (holds: boolean, what: string) => {
    if (!holds) broken.push(what)
  }
  const signedIn = () => origin.history.at(-1)
  /** Whose data may lie in a partition. */
  const within = (user: User | undefined): Array<User | undefined> =>
    user ? [user, ...(mixed.get(user) ?? []), ...[...tabs].flatMap((tab) => (tab.user === user ? own(tab) : []))] : []
  const own = ({ since, met }: Tab) => [...origin.history.slice(since), ...met]
  /** Whose data a page may see: its own user's, and that of whoever was signed in since it entered. */
  const seenBy = (tab: Tab) => [...new Set([...within(tab.user), ...own(tab)])]
  const only = (whose: readonly (User | undefined)[], text: string, what: string) =>
    law(
      namesIn(text).every((name) => whose.includes(name)),
      `${what} holds ${namesIn(text)}, not only ${whose}: ${text.slice(0, 300)}`,
    )

  function remember(tab: Tab): void {
    if (tab.user) for (const one of seenBy(tab)) if (one) mixed.get(tab.user)?.add(one)
  }

  function disk(): Store {
    const size = isSmall ? { maxBytes: 30_000, maxEntryBytes: 10_000 } : { maxBytes: 1e7, maxEntryBytes: 1e6 }
    const { factory, keyRange } = database
    return createIndexedDbStore({
      ...size,
      name: 'profile',
      factory,
      keyRange,
      clock,
      random,
      inlineBytes,
      onNotice() {},
    })
  }

  function open(user: User | undefined, store: Store | undefined = undefined): Tab {
    const look = (names: readonly User[], isWanted: boolean) =>
      law(isWanted && names.every((name) => seenBy(tab).includes(name)), `sent ${isWanted ? names : 'in vain'}`)
    const cache = createCache({
      fetch: origin.transportOf(look),
      base: 'https://origin.test',
      clock,
      random,
      store: store ?? disk(),
      memory: { maxBytes: isSmall ? 20_000 : 1e7, maxEntryBytes: isSmall ? 10_000 : 1e6 },
      ...(user && { partition: user }),
    })
    const tab: Tab = {
      cache,
      user,
      met: new Set(),
      former: undefined,
      isLeft: false,
      since: origin.history.length - 1,
      sittings: 0,
      lives: 0,
      endings: [],
      moment: 0,
    }
    tabs.add(tab)
    cache.on((event) => {
      if (event.type === 'partition-left') {
        remember(tab)
        tab.endings.push(seenBy(tab))
        Object.assign(tab, {
          user: undefined,
          met: new Set(),
          former: tab.user,
          isLeft: true,
          since: origin.history.length - 1,
          moment: origin.moment(),
        })
        tab.lives++
      }
      hears(tab)(event)
    })
    return tab
  }

  /** What was asked for before a page was left is asked for again, past the cache: that may be told. */
  const hears = (tab: Tab) => (event: unknown) => only([...seenBy(tab), tab.former], textOf(event), 'an event')

  /** What can be asked of a page without waiting. */
  async function looksAround(tab: Tab): Promise<void> {
    const whose = seenBy(tab)
    const { responses } = await tab.cache.dehydrate(() => true)
    const plain = responses.map((one) => ({ ...one, body: atob(one.body) }))
    only(whose, textOf(plain), 'memory')
  }

  /** `setPartition()`, and what holds from the call on. */
  async function enter(tab: Tab, user: User | undefined): Promise<boolean> {
    const isSame = user !== undefined && user === tab.user && !tab.isLeft
    remember(tab)
    if (!isSame) tab.endings.push(seenBy(tab))
    if (!isSame) Object.assign(tab, { met: new Set(), since: origin.history.length - 1, moment: origin.moment() })
    Object.assign(tab, {
      user,
      former: undefined,
      isLeft: false,
      sittings: tab.sittings + Number(!isSame),
      lives: tab.lives + Number(!isSame),
    })
    const entering = tab.cache.setPartition(user)
    if (!isSame) {
      law(tab.cache.stats().memoryBytes === 0, 'memory is not empty at once')
      for (const path of paths(users[0]).concat(paths(users[1])))
        law(tab.cache.peek(path) === undefined, `${path} is still shown`)
      for (const at of ['/me', '/feed']) tab.cache.update(at, () => ({ owner: user ?? 'nobody' }))
    }
    try {
      await entering
    } catch (error) {
      law((error as { code?: string }).code === 'storage', `setPartition rejected: ${error}`)
      return false
    }
    for (const [name, others] of mixed) {
      if (name === user) continue
      for (const one of tabs) if (one.user === name) one.met = new Set([...one.met, ...others])
      others.clear()
    }
    return true
  }

  /** Every row of the database, all read at one moment. A fault that strikes meanwhile was meant for others. */
  function rows(): Promise<ReadonlyArray<readonly [key: readonly unknown[], value: unknown]>> {
    database.release()
    return new Promise((resolve) => {
      const again = () => resolve(rows())
      const opening = database.factory.open('profile')
      opening.onupgradeneeded = () => opening.result.createObjectStore('nearcache')
      opening.onerror = again
      opening.onsuccess = () => {
        try {
          const transaction = opening.result.transaction('nearcache')
          const objects = transaction.objectStore('nearcache')
          const [keys, values] = [objects.getAllKeys(), objects.getAll()]
          transaction.onabort = again
          transaction.oncomplete = () => {
            opening.result.close()
            resolve(keys.result.map((key, index) => [key as unknown[], values.result[index]] as const))
          }
        } catch {
          again()
        }
      }
    })
  }

  /** The law of the disk, which holds at every moment: rows of nobody but whom it was last entered for, and in the others no name at all. */
  async function checkDisk(expected?: () => User | '' | undefined): Promise<void> {
    const all = await rows()
    const head = all.find(([key]) => String(key) === 'meta,log')?.[1] as { partition?: User } | undefined
    const entered = head?.partition
    const hoped = expected?.()
    law(hoped === undefined || entered === undefined || entered === hoped, `${hoped} has entered a disk of ${entered}`)
    for (const [key, value] of all) {
      const [kind, place] = key
      if (kind === 'meta' && place === 'purges') continue
      const isNamed = kind === 'meta' ? !!entered : place !== ''
      const whose = isNamed ? within(entered) : []
      law(kind === 'meta' || place === '' || place === entered, `the row ${textOf(key)} while ${entered} is entered`)
      only(whose, textOf([key, value]), `the row ${textOf(key)}`)
    }
  }

  return {
    random,
    clock,
    database: database as VirtualIndexedDb,
    origin,
    broken,
    tabs,
    law,
    only,
    signedIn,
    seenBy,
    remember,
    open,
    hears,
    looksAround,
    enter,
    rows,
    checkDisk,
  }
}

/** Where a page looks: what is `user`'s carries the name. */
export const paths = (user: User | undefined): string[] => [
  '/public',
  '/me',
  '/feed',
  '/large',
  `/of/${user ?? 'nobody'}/basket`,
]
