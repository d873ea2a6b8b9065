import type { Transport } from '../ports/transport.ts'
import type { WorldContext } from './context.ts'
import type { Hold, ScriptedOrigin } from './scripted-origin.ts'
import { seededRandom } from './seeded-random.ts'
import type { ChannelTrouble } from './virtual-channel.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { DatabasePoint, VirtualIndexedDb } from './virtual-indexed-db.ts'
import { readDisk } from './world-disk.ts'
import { createJudge, type Patience } from './world-judge.ts'
import { createWorldOrigin } from './world-origin.ts'
import { paths, routes } from './world-routes.ts'
import type { Users } from './world-users.ts'

const FAULTS: ReadonlyArray<readonly [DatabasePoint, string]> = [
  ['commit', 'QuotaExceededError'],
  ['commit', 'UnknownError'],
  ['commit', 'lose'],
  ['commit', 'hang'],
  ['transaction', 'InvalidStateError'],
  ['transaction', 'hang'],
  ['transaction', 'lose'],
  ['request', 'UnknownError'],
  ['request', 'QuotaExceededError'],
  ['request', 'lose'],
  ['open', 'hang'],
  ['open', 'UnknownError'],
]

export interface WalkOptions {
  readonly contexts: readonly WorldContext[]
  readonly origin: ScriptedOrigin
  readonly clock: VirtualClock
  readonly database: VirtualIndexedDb
  /** Each step draws from a source of its own, made of this and its place: what one step does is the same whether another is taken or not. */
  readonly seed: number
  readonly patience: Patience
  readonly users: Users
  /** The service worker, if there is one. */
  readonly serviceWorker: string | undefined
  /** Names of the contexts that are no pages. */
  readonly workers: readonly string[]
  /** The cache's name. */
  readonly name: string
  /** Whether what is a user's is encrypted on the disk. */
  readonly isEncrypted: boolean
  readonly hasTurns: boolean
  readonly hasChannel: boolean
  post(message: unknown): void
  trouble(trouble: ChannelTrouble): void
  tell(line: string): void
}

export interface Walk {
  /**
   * Takes steps, but for those that are to be left out, until a law is broken; then lets everything come to its end.
   *
   * @returns the laws that were broken, and how many steps it took
   */
  run(steps: number, without: ReadonlySet<number>): Promise<{ readonly broken: string[]; readonly taken: number }>
  /** Carries a request of a context to the origin. */
  carry(context: string, ...given: Parameters<Transport>): Promise<Response>
}

/** How late a message may be, in milliseconds: as a rule, and where it may be later than anything it is about. */
const MAX_DELAY_MS = 3_000
const LONG_DELAY_MS = 60_000

/** By how much the wall clock is set, in milliseconds: within what goes unnoticed, and beyond. */
const CLOCK_STEPS = [-3_600_000, -20_000, -20_000, -4_000, 4_000, 60_000, 3_600_000]

/** Random steps over a world, judged from outside. */
export function createWalk(options: WalkOptions): Walk {
  const { contexts, origin, clock, database, seed, post, trouble, tell, patience, users } = options
  const { serviceWorker, workers, name, isEncrypted, hasTurns, hasChannel } = options
  let random = seededRandom(seed)
  const chance = (share: number) => random() < share
  const upTo = (end: number) => Math.floor(random() * end)
  const pick = <T>(all: readonly T[]) => all[upTo(all.length)] as T
  const elapsed = () => clock.monotonic?.() ?? clock.now()
  const judge = createJudge(routes, elapsed, {
    ...patience,
    hasTurns,
    isSharedWithNobody: serviceWorker !== undefined,
  })
  const side = createWorldOrigin({ origin, judge, users, serviceWorker, onWritten: (path) => loosen([path]) })
  const holds: Hold[] = []
  const pending = new Set<{ readonly context: WorldContext; readonly life: unknown; readonly what: string }>()
  /** Whether every message comes through at once. */
  let isHeard = hasChannel
  /** Whether the disk has been let fail. */
  const isIll = chance(0.3)
  if (isIll) judge.diskIsIll()
  /** Whether somebody sets the wall clock. */
  const isClockSet = chance(0.25)
  const maxDelayMs = chance(0.1) ? LONG_DELAY_MS : MAX_DELAY_MS

  /** A purge may be heard as late as a message may be. */
  const loosen = (covered: readonly string[]) => judge.loosen(covered, isHeard ? 0 : maxDelayMs)

  const running = () => contexts.filter(({ state }) => state === 'running')

  async function call(context: WorldContext, what: string, work: () => Promise<unknown>): Promise<void> {
    const one = { context, life: context.cache, what }
    pending.add(one)
    try {
      await work()
    } finally {
      pending.delete(one)
    }
  }

  function read(context: WorldContext): void {
    const path = pick(paths)
    const user = users.of(context.name)
    const begun = judge.starts(context.name, path, user)
    const since = users.moment()
    const init: RequestInit = {
      ...(user && { headers: { authorization: `Bearer ${user}` } }),
      ...(chance(0.1) && { cache: 'no-cache' }),
    }
    const isAborted = chance(0.05) ? new AbortController() : undefined
    if (init.cache) judge.asks(context.name, path)
    tell(`${context.name} reads ${path}${init.cache ? ' no-cache' : ''}`)
    call(context, `read ${path}`, async () => {
      try {
        const response = await context.cache.fetch(path, { ...init, ...(isAborted && { signal: isAborted.signal }) })
        const body = (await response.json()) as { path: string; version: number; seq: number; user: string }
        tell(`${context.name} has version ${body.version} of ${path}: ${response.headers.get('cache-status')}`)
        if (!response.ok) return
        const isFollowing = context.name === serviceWorker
        if (isFollowing)
          judge.demand(
            users.mayBe(body.user, since),
            `law 5: ${context.name} got ${body.user}'s ${path} after they had left`,
          )
        judge.answered(isFollowing ? { ...begun, user: body.user } : begun, body)
      } catch (error) {
        const isExpected =
          error instanceof TypeError || error instanceof SyntaxError || (error as Error)?.name === 'AbortError'
        judge.demand(isExpected, `law 6: ${context.name} could not read ${path}: ${error}`)
      } finally {
        judge.ends(begun)
        if (init.cache) judge.hasAsked(context.name, path)
      }
    })
    isAborted?.abort()
  }

  function purge(context: WorldContext): void {
    const mode = chance(0.5) ? 'hard' : 'soft'
    const path = pick(paths)
    const [selector, covered] = pick([
      [{ url: path }, [path]],
      [{ tag: 'shelf' }, routes.filter(({ tag }) => tag === 'shelf').map(({ path }) => path)],
      [{ pattern: '/world/*' }, paths],
      [{ all: true }, paths],
    ] as const)
    const index = judge.moment()
    const at = elapsed()
    // What labels the response of a flight will carry is not known: a purge by a tag overtakes all, and only a turn keeps the next one waiting.
    const loosened = 'tag' in selector && !hasTurns ? paths : covered
    loosen(loosened)
    tell(`${context.name} purges ${JSON.stringify(selector)} ${mode}`)
    call(context, 'purge', async () => {
      const { durable } = await context.cache.purge(selector as { url: string }, { mode })
      loosen(loosened)
      judge.purged(mode, covered, [context.name], index, at)
      if (!durable || !isHeard || isIll) return
      // Told in this very tick: heard in the next.
      await Promise.resolve()
      await Promise.resolve()
      await clock.settle()
      judge.purged(
        mode,
        covered,
        // A later version tells in a language that this one does not know.
        running()
          .filter(({ version }) => version === 'later' || context.version === 'this')
          .map(({ name }) => name),
        index,
        at,
      )
    }).catch((error) => judge.demand(false, `law 6: purge() rejected: ${error}`))
  }

  function write(context: WorldContext): void {
    const path = pick(paths)
    side.changes(path)
    tell(`${context.name} posts to ${path}`)
    call(context, `post ${path}`, async () => {
      await context.cache.fetch(path, { method: 'POST', body: '{}' }).then((response) => response.text())
    }).catch(() => {})
  }

  function end(context: WorldContext, how: 'kill' | 'reload'): void {
    for (const one of pending) if (one.context === context) pending.delete(one)
    context[how]()
    judge.gone(context.name)
    users.gone(context.name)
    judge.loosen()
    if (how === 'reload') begins(context)
  }

  function begins(context: WorldContext): void {
    users.begins(context)
    judge.begins(context.name)
  }

  /** Signs somebody in or out, or, in a context that has been left, whoever is signed in by now. */
  function sign(context: WorldContext): void {
    if (users.names.length === 0 || workers.includes(context.name)) return
    const isBehind = users.isOutside(context.name) || users.of(context.name) !== users.signedIn()
    const user = isBehind ? users.signedIn() : pick(['', ...users.names])
    tell(`${context.name} signs in ${user || 'nobody'}`)
    judge.loosen()
    call(context, 'setPartition', () => users.sign(context, user)).then(
      () => judge.loosen(),
      (error) => judge.demand(isIll, `law 6: setPartition() rejected: ${error}`),
    )
  }

  /** What lies on the disk, seen from outside. */
  async function lookAtDisk(): Promise<void> {
    const since = users.moment()
    for (const { partition, key, text } of await readDisk(database, name)) {
      const path = paths.find((one) => key.includes(`${one}"`))
      if (!path) continue
      const what = `${path} of ${partition || 'nobody'}`
      judge.demand(!routes.some((one) => one.path === path && one.isOffDisk), `law 7: ${what} lies on the disk`)
      judge.demand(users.mayBe(partition, since), `law 5: ${what} lies on the disk after they had left`)
      const owners = [...text.matchAll(/"user":"(\w*)"/g)].map(([, owner]) => owner)
      if (isEncrypted && partition) judge.demand(!text.includes('"version":'), `law 5: ${what} can be read on the disk`)
      else
        judge.demand(
          owners.every((owner) => owner === partition || owner === ''),
          `law 5: ${what} holds what is ${owners}'s`,
        )
    }
  }

  const steps: ReadonlyArray<readonly [weight: number, what: string, step: (context: WorldContext) => unknown]> = [
    [40, 'read', read],
    [4, 'herd', () => running().map(read)],
    [12, 'wait', () => clock.advance(pick([0, 1, 20, 100, 1_000, 4_000, 10_000, 31_000]))],
    [10, 'settle', () => clock.settle()],
    [3, 'purge', purge],
    [2, 'post', write],
    [3, 'change', () => side.changes(pick(paths))],
    [3, 'hold', () => holds.push(origin.hold(pick(paths), pick(['head', 'body'])))],
    [6, 'release', () => holds.splice(0, 1 + upTo(2)).map((hold) => hold.release())],
    [
      1,
      'fail',
      () => {
        judge.originFails()
        judge.loosen()
        origin.fails('/world/*', pick([500, 503, 'network'] as const))
      },
    ],
    [
      3,
      'recover',
      () => {
        judge.originRecovers()
        judge.loosen()
        origin.recovers()
      },
    ],
    [1, 'reload', (context) => end(context, 'reload')],
    [1, 'kill', (context) => contexts.filter(({ state }) => state !== 'dead').length > 1 && end(context, 'kill')],
    [
      1,
      'freeze',
      (context) => {
        judge.loosen()
        context[workers.includes(context.name) ? 'freeze' : pick(['freeze', 'hide'] as const)]()
      },
    ],
    [1, 'cover', (context) => context.cover()],
    [2, 'show', (context) => context.show()],
    [2, 'sign', sign],
    [
      1,
      'clock',
      () => {
        const byMs = pick(CLOCK_STEPS)
        if (!isClockSet) return
        judge.clockSet(byMs)
        clock.set(clock.now() + byMs)
      },
    ],
    [
      1,
      'trouble',
      () => {
        isHeard = hasChannel && chance(0.5)
        trouble(isHeard ? {} : { lost: random() / 2, doubled: random() / 2, delayMs: upTo(maxDelayMs) })
      },
    ],
    [
      1,
      'junk',
      () =>
        post(
          pick<unknown>([
            null,
            'nearcache',
            { nearcache: 2, hints: [{ kind: 'look' }] },
            {
              nearcache: 1,
              hints: [{ kind: 'stored', partition: '', key: ['https://origin.test/world/fresh'] }, 7, {}],
            },
            {
              nearcache: 1,
              hints: [
                { kind: 'unshared', turn: 'x' },
                { kind: 'purged', purge: { selector: {} } },
              ],
            },
          ]),
        ),
    ],
    [
      2,
      'fault',
      () => {
        const [at, fault] = pick(FAULTS)
        if (isIll) database.inject({ at, fault, nth: 1 + upTo(4) })
      },
    ],
    [2, 'heal', () => database.release()],
  ]
  const all = steps.reduce((sum, [weight]) => sum + weight, 0)

  async function step(): Promise<void> {
    // Whoever has ended or was stopped comes back before long.
    for (const one of contexts) {
      if (one.state === 'dead' && chance(0.2)) {
        one.reload()
        begins(one)
        tell(`${one.name} starts in ${one.version} version`)
      } else if (one.state !== 'running' && one.state !== 'dead' && chance(0.1)) {
        tell(`${one.name} goes on`)
        judge.loosen()
        one.thaw()
      }
    }
    const context = running().length > 0 ? pick(running()) : undefined
    if (!context) return
    let at = random() * all
    const [, what, act] = steps.find(([weight]) => {
      at -= weight
      return at < 0
    }) as (typeof steps)[number]
    if (!['read', 'herd', 'purge', 'post', 'settle', 'sign'].includes(what)) tell(`${what} (${context.name})`)
    await act(context)
    if (chance(0.3)) await clock.settle()
  }

  async function run(count: number, without: ReadonlySet<number>) {
    if (side.serve()) for (const context of contexts) begins(context)
    let taken = 0
    for (; taken < count && judge.broken.length === 0; taken++) {
      random = seededRandom(seed + 7919 * taken)
      if (!without.has(taken)) await step()
    }
    for (const hold of holds.splice(0)) hold.release()
    origin.recovers()
    judge.originRecovers()
    judge.loosen()
    trouble({})
    isHeard = hasChannel
    database.release()
    for (const one of contexts) one.thaw()
    for (let turn = 0; turn < 30 && pending.size > 0; turn++) await clock.advance(5_000)
    for (const { context, what } of pending) judge.demand(false, `law 6: ${context.name}: ${what} never ended`)
    pending.clear()
    await clock.advance(60_000)
    await lookAtDisk()
    return { broken: judge.broken.splice(0), taken }
  }

  return { run, carry: side.carry }
}
