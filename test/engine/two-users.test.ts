import { expect, test } from 'vitest'
import type { CacheRequestInit } from '../../src/index.ts'
import type { DatabasePoint } from '../../src/testing/index.ts'
import { paths, sharedProfile, type Tab, textOf } from './shared-profile.ts'
import { type User, users } from './signed-in-origin.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Steps of one walk. Each walk has a profile of its own. */
const STEPS = 400
const WALKS = Math.ceil(Number(process.env.TWO_USERS_STEPS ?? 8_000) / STEPS)

/** What may befall the database of one profile. */
const faults: Readonly<Record<string, ReadonlyArray<readonly [at: DatabasePoint, fault: string]>>> = {
  fails: [
    ['commit', 'QuotaExceededError'],
    ['transaction', 'InvalidStateError'],
    ['request', 'UnknownError'],
    ['open', 'UnknownError'],
  ],
  hangs: [
    ['commit', 'hang'],
    ['open', 'hang'],
  ],
  loses: [
    ['commit', 'lose'],
    ['request', 'lose'],
    ['transaction', 'lose'],
  ],
}

type Counts = Record<'answers' | 'switches' | 'ended' | 'left' | 'reloads' | 'searches' | 'failures', number>

/** One walk, from one seed. */
async function walk(seed: number, counts: Counts, trace: string[]): Promise<readonly string[]> {
  const profile = await sharedProfile(seed)
  const { random, clock, database, origin, law, only, seenBy, tabs } = profile
  const upTo = (count: number) => Math.floor(random() * count)
  const chance = (share: number) => random() < share
  const pick = <T>(all: readonly T[]) => all[upTo(all.length)] as T
  const anyone = () => pick([...users, undefined])
  const isAlone = chance(0.5)
  const illness = chance(0.4) ? pick(Object.keys(faults)) : 'none'
  /** Pages that are shown, and those that may be shown again. */
  const shown: Tab[] = [profile.open(undefined)]
  const aside: Tab[] = []
  const underWay = new Set<Promise<unknown>>()
  const stops: Array<() => void> = []

  function follow(work: Promise<unknown>): void {
    const done = work.then(
      () => {},
      (error) => law(false, `${error?.stack ?? error}`),
    )
    underWay.add(done)
    void done.finally(() => underWay.delete(done))
  }

  /** Whose data a page may be given for what it asks for now. */
  function seenThen(tab: Tab) {
    const { lives } = tab
    return () => (tab.lives === lives ? seenBy(tab) : (tab.endings[lives] ?? []))
  }

  /** A path for whoever uses this page, and how what is personal is asked for. */
  function request(tab: Tab): [path: string, init: CacheRequestInit] {
    const user = tab.user ?? profile.signedIn()
    const path = pick(paths(user))
    const headers = path === '/large' ? { authorization: `Bearer ${user}` } : undefined
    const cache = chance(0.2) ? pick(['no-cache', 'reload', 'no-store', 'force-cache'] as const) : undefined
    return [
      path,
      {
        ...(path === '/feed' && { credentials: 'include' }),
        ...(headers && { headers }),
        ...(cache && { cache }),
        ...(chance(0.05) && { method: 'HEAD' }),
      },
    ]
  }

  /** What a page is when an answer is given to it: its caller runs on in the same task, but perhaps behind somebody who has just entered. Whoever hears of it later hears too late. */
  function delivered(tab: Tab) {
    const now = () => ({ sittings: tab.sittings, lives: tab.lives, seen: seenBy(tab) })
    let given: ReturnType<typeof now> | undefined
    return {
      state: () => given ?? now(),
      onAnswer() {
        given = now()
        setImmediate(() => {
          given = undefined
        })
      },
    }
  }

  /** Whatever is answered belongs to who asked, and comes before the page is someone else's; what goes past the cache, to who was signed in meanwhile. */
  async function read(tab: Tab, [path, init]: [string, CacheRequestInit], isSlow: boolean): Promise<void> {
    const [{ sittings, lives }, since, whose] = [tab, origin.history.length - 1, seenThen(tab)]
    let response: Response
    const delivery = delivered(tab)
    try {
      response = await tab.cache.fetch(path, { ...init, nearcache: delivery })
    } catch {
      counts.ended++
      return
    }
    const isPassedBy = /detail=(bypass|method)/.test(response.headers.get('cache-status') ?? '')
    law(
      isPassedBy || delivery.state().sittings === sittings,
      `${path} was answered after its sitting ${response.headers.get('cache-status')} ${response.status} ${seenBy(tab)}`,
    )
    const mine = () => (isPassedBy ? origin.history.slice(since) : whose())
    only(mine(), `${response.statusText} ${response.headers.get('etag')}`, `the head of ${path}`)
    while (isSlow && chance(0.8)) await turn()
    let text: string
    try {
      text = await response.text()
    } catch {
      counts.ended++
      return
    }
    only(mine(), text, `the body of ${path}`)
    const isOver = tab.lives !== lives && !isPassedBy
    law(
      !isOver || text === '' || origin.hadEnded(text, tab.moment),
      `${path} was read on after its sitting: ${text} ${response.headers.get('cache-status')} ${textOf(init)}`,
    )
    counts.answers++
  }
  async function parse(tab: Tab, [path, init]: [string, CacheRequestInit]): Promise<void> {
    const [{ sittings, lives, isLeft }, since] = [tab, origin.history.length - 1]
    const delivery = delivered(tab)
    try {
      const data = await tab.cache.json(path, { ...init, nearcache: delivery })
      const given = delivery.state()
      const isPassedBy = isLeft || given.lives !== lives || init.cache === 'no-store'
      only(isPassedBy ? origin.history.slice(since) : given.seen, textOf(data), `the data of ${path}`)
      law(isPassedBy || given.sittings === sittings, `${path} was parsed after its sitting`)
      counts.answers++
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AssertionError') counts.ended++
      else throw error
    }
  }

  /** The user signs in or out, at the origin and in one page, in one moment. */
  function change(tab: Tab, user: User | undefined): Promise<boolean> {
    counts.switches++
    const isFirst = chance(0.5)
    if (isFirst) origin.history.push(user)
    const entering = profile.enter(tab, user)
    if (!isFirst) origin.history.push(user)
    if (!isFirst) for (const one of [tab]) one.since = Math.min(one.since, origin.history.length - 1)
    return entering
  }
  async function changeAndSearch(tab: Tab, user: User | undefined): Promise<void> {
    // Of two pages that enter in one moment the last to reach the disk has it, as a page does whose sign-out the disk has held up: only who was alone from the call on is the last for certain.
    const wasAlone = tabs.size === 1
    const entering = change(tab, user)
    const { sittings } = tab
    const hasEntered = await entering
    if (!hasEntered) counts.failures++
    if (!chance(0.5)) return
    counts.searches++
    const isLast = () => hasEntered && wasAlone && tabs.size === 1 && shown.includes(tab) && tab.sittings === sittings
    await profile.checkDisk(() => (isLast() ? (user ?? '') : undefined))
  }

  async function reload(tab: Tab): Promise<void> {
    counts.reloads++
    const user = chance(0.8) ? profile.signedIn() : undefined
    shown[shown.indexOf(tab)] = profile.open(user)
    profile.remember(tab)
    const way = upTo(3)
    if (way === 0) {
      aside.push(tab)
      if (aside.length < 3) return
    }
    const gone = way === 0 ? (aside.shift() as Tab) : tab
    // What a page had under way may still arrive when it has gone.
    const ending = way === 1 ? gone.cache.settled() : gone.cache.close()
    follow(
      Promise.all([ending, ...underWay]).then(() => {
        profile.remember(gone)
        tabs.delete(gone)
      }),
    )
  }

  const steps: ReadonlyArray<readonly [weight: number, name: string, step: (tab: Tab) => unknown]> = [
    [30, 'fetch', (tab) => follow(read(tab, request(tab), chance(0.2)))],
    [
      6,
      'herd',
      (tab) => {
        const one = request(tab)
        for (let count = 0; count < 4; count++) follow(chance(0.3) ? parse(tab, one) : read(tab, one, false))
      },
    ],
    [14, 'json', (tab) => follow(parse(tab, request(tab)))],
    [8, 'peek', (tab) => only(seenBy(tab), textOf(tab.cache.peek(...request(tab))), 'peek()')],
    [
      4,
      'explain',
      (tab) => {
        const whose = seenThen(tab)
        follow(tab.cache.explain(...request(tab)).then((one) => only(whose(), textOf(one.candidates), 'explain()')))
      },
    ],
    [3, 'dehydrate', (tab) => follow(profile.looksAround(tab))],
    [
      4,
      'update',
      (tab) => {
        const { rollback } = tab.cache.update<object>('/me', (data) => {
          only(seenBy(tab), textOf(data), 'update()')
          return { ...data, nick: tab.user }
        })
        if (chance(0.5)) stops.push(rollback)
      },
    ],
    [2, 'subscribe', (tab) => stops.push(tab.cache.subscribe(request(tab)[0], profile.hears(tab)))],
    [2, 'stop', () => stops.splice(upTo(stops.length), 1)[0]?.()],
    [
      5,
      'post',
      (tab) => {
        const [path, init] = request(tab)
        follow(read(tab, [path, { ...init, method: 'POST' }], chance(0.3)))
      },
    ],
    [
      2,
      'purge',
      (tab) =>
        follow(tab.cache.purge(chance(0.5) ? { tag: 'shelf' } : { url: '/me' }, { mode: pick(['soft', 'hard']) })),
    ],
    [7, 'enter', (tab) => follow(changeAndSearch(tab, anyone()))],
    [2, 'enter and wait', (tab) => settle(changeAndSearch(tab, anyone()))],
    [
      1,
      'enter several',
      (tab) => {
        for (let count = 2 + upTo(3); count > 0; count--) follow(changeAndSearch(tab, anyone()))
      },
    ],
    [1, 'enter again', (tab) => follow(profile.enter(tab, tab.user))],
    [3, 'reload', reload],
    [
      2,
      'open',
      () => !isAlone && shown.length < 3 && shown.push(profile.open(chance(0.7) ? profile.signedIn() : undefined)),
    ],
    [
      1,
      'come back',
      (tab) => {
        const back = aside.pop()
        if (!back) return
        aside.push(tab)
        shown[shown.indexOf(tab)] = back
        // A page that asks who is signed in enters for that one; another one finds out.
        if (chance(0.5)) follow(profile.enter(back, profile.signedIn()))
      },
    ],
    [2, 'time', () => clock.advance(pick([0, 60, 3_000, 10_000, 90_000]))],
    [1, 'set the clock', () => clock.set(clock.now() + pick([-60_000, 1_000, 3_600_000]))],
    [
      4,
      'fault',
      () => {
        const some = faults[illness]
        if (!some) return
        const [at, fault] = pick(some)
        database.inject({ at, fault, nth: 1 + upTo(4) })
      },
    ],
    [1, 'lose', () => illness === 'loses' && chance(0.3) && database.lose({ forget: chance(0.3) })],
    [1, 'search', () => profile.checkDisk()],
  ]
  const all = steps.reduce((sum, [weight]) => sum + weight, 0)
  function next() {
    let at = upTo(all)
    for (const one of steps) {
      at -= one[0]
      if (at < 0) return one
    }
    throw new RangeError('Behind the last step')
  }
  /** Lets everything go on until this has come to its end. */
  async function settle(work: Promise<unknown>): Promise<void> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    work.then(done, done)
    for (let turns = 1; !isDone; turns++) {
      await turn()
      origin.release('all')
      if (turns % 50 !== 0) continue
      database.release()
      await clock.advance(5_000)
    }
    await work
  }

  for (let count = 0; count < STEPS && profile.broken.length === 0; count++) {
    const tab = pick(shown)
    const [, name, step] = next()
    trace.push(`${shown.indexOf(tab)} ${tab.user ?? 'nobody'} ${name}`)
    // A step that does not wait is of one task with the next.
    const waited = step(tab)
    if (waited instanceof Promise) await waited
    for (let turns = chance(0.6) ? upTo(5) : 0; turns > 0; turns--) {
      await turn()
      if (chance(0.4)) origin.release('one')
    }
  }
  counts.left += [...tabs].filter(({ isLeft }) => isLeft).length

  // Everybody signs out.
  const leaving = [...tabs].map((tab) => change(tab, undefined))
  await settle(Promise.all([...leaving, ...underWay]))
  await settle(Promise.all([...tabs].map(({ cache }) => cache.settled())))
  database.release()
  await clock.advance(120_000)
  law(await profile.enter(shown[0] as Tab, undefined), 'the last one could not sign out')
  for (const tab of tabs) only([], textOf(await tab.cache.dehydrate(() => true)), 'memory at the end')
  for (const [key, value] of await profile.rows())
    if (key[1] !== 'purges') only([], textOf([key, value]), 'the disk at the end')
  await settle(Promise.all([...tabs].map(({ cache }) => cache.close())))
  return profile.broken
}

test(`two users on one profile, ${WALKS * STEPS} random steps: no byte of the one comes to the other (law 5, FAULTS F-62 to F-64)`, {
  timeout: 3_600_000,
}, async () => {
  const counts: Counts = { answers: 0, switches: 0, ended: 0, left: 0, reloads: 0, searches: 0, failures: 0 }
  const first = Number(process.env.TWO_USERS_SEED ?? 1)
  for (let seed = first; seed < first + WALKS; seed++) {
    const trace: string[] = []
    const broken = await walk(seed, counts, trace)
    expect(broken, `seed ${seed}\n${trace.slice(-40).join('\n')}`).toEqual([])
  }
  console.info(counts)
})
