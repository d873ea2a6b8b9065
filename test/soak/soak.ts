import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { bundle } from '../size/bundle.ts'
import { launch, type Tab } from './browser.ts'
import { judge, latest, newest } from './judge.ts'
import { startOrigin } from './origin.ts'
import type { Plan, Told, Walk } from './page.ts'

export interface SoakOptions {
  readonly rounds: number
  /** Fixes what is done and when is killed; how far the machine gets until then is its own affair. */
  readonly seed: number
  onRound?(round: number): void
}

export interface SoakResult {
  readonly seed: number
  /** Rounds after which everything was as it must be. */
  readonly held: number
  /** The first round after which it was not, and what was seen. Those that would have followed have not been run. */
  readonly broken: ReadonlyArray<{ readonly round: number; readonly seen: readonly string[] }>
  /** What there was to break. */
  readonly figures: Readonly<Record<string, number>>
}

/** How long a kill waits for its moment at most, in milliseconds. */
const MOMENT_MS = 400

/**
 * Kills a real browser again and again while its page stores, validates and purges, in a profile that is kept over all rounds; in a third of the rounds a tab crashes first. After each
 * death everything that is left is looked at before anything else is done.
 */
export async function soak({ rounds, seed, onRound }: SoakOptions): Promise<SoakResult> {
  const random = seededRandom(seed)
  const page = fileURLToPath(new URL('./page.ts', import.meta.url))
  const { code } = await bundle({ path: page }, { format: 'iife', globalName: 'soak' })
  const origin = await startOrigin(seed, code)
  const profile = mkdtempSync(join(tmpdir(), 'nearcache-soak-'))

  let purges: Extract<Told, { type: 'purged' }>[] = []
  const told: string[] = []
  const figures = {
    killed: 0,
    crashed: 0,
    answered: 0,
    purged: 0,
    looked: 0,
    served: 0,
    failures: 0,
    wiped: 0,
    rolledBack: 0,
  }
  let lay = new Map<string, number>()
  let onPurged = () => {}
  let lives = 0
  let witnessed = 0

  const listen = (text: string) => {
    const one = JSON.parse(text) as Told
    if (one.type === 'broken') told.push(one.what)
    if (one.type === 'store-failed') figures.failures += 1
    if (one.type === 'answered') figures.answered += 1
    if (one.type === 'witnessed') witnessed = Math.max(witnessed, one.asked)
    if (one.type !== 'purged') return
    figures.purged += 1
    // One that the disk did not take held in its own page only, and said so.
    if (one.durable) purges.push(one)
    onPurged()
  }

  async function look(tab: Tab): Promise<string[]> {
    const walk = (await tab.evaluate(`soak.walk(${random() < 0.5})`)) as Walk
    if (walk.witness < witnessed) {
      // The browser has lost what it said was on the disk, and not of our database alone: LevelDB goes on behind a record that a kill has cut off, and at the next start its log breaks there
      // (Chromium begins anew) or ends there.
      if (walk.witness === 0) figures.wiped += 1
      else figures.rolledBack += 1
      purges = purges.filter(({ asked }) => asked <= walk.witness)
      lay = new Map()
    }
    witnessed = walk.witness
    const seen = [...told.splice(0), ...judge(walk, { purges, lay }, origin)]
    figures.looked += walk.disk?.responses.length ?? 0
    figures.served += walk.served.length
    figures.failures += walk.failures.length
    lay = newest(walk.disk)
    return seen
  }

  /** Lets the page work, and resolves when it is to die: at once, as a purge has just resolved, or as a response is about to be stored. */
  async function untilTheMoment(tab: Tab): Promise<void> {
    lives += 1
    const purged = Object.fromEntries(latest(purges, 'hard'))
    const plan: Plan = { seed: seed + lives, asked: lives * 1_000_000, purged }
    await tab.evaluate(`soak.work(${JSON.stringify(plan)})`)
    const [activity, kind, delay] = [50 + random() * 550, random(), random() * 10]
    await sleep(activity)
    const event = new Promise<void>((resolve) => {
      if (kind < 0.4) resolve()
      else if (kind < 0.7) onPurged = resolve
      else origin.onSent = () => setTimeout(resolve, delay)
    })
    await Promise.race([event, sleep(MOMENT_MS)])
    onPurged = () => {}
    origin.onSent = () => {}
  }

  /** One life of the browser; whatever the last one has left is looked at first. */
  async function live(round: number): Promise<{ round: number; seen: readonly string[] }> {
    const browser = await launch(profile)
    try {
      let tab = await browser.open(origin.base, listen)
      const left = await look(tab)
      if (left.length > 0 || round > rounds) return { round: round - 1, seen: left }
      if (random() < 1 / 3) {
        await untilTheMoment(tab)
        await tab.crash()
        figures.crashed += 1
        tab = await browser.open(origin.base, listen)
        const seen = await look(tab)
        if (seen.length > 0) return { round, seen }
      }
      await untilTheMoment(tab)
      return { round, seen: [] }
    } finally {
      await browser.kill()
      figures.killed += 1
    }
  }

  let broken: SoakResult['broken'] = []
  // What the last round has left is looked at in one life more.
  for (let round = 1; round <= rounds + 1 && broken.length === 0; round++) {
    const outcome = await live(round).catch((error: unknown) => ({ round, seen: [String(error)] }))
    if (outcome.seen.length > 0) broken = [outcome]
    else if (round > 1) onRound?.(round - 1)
  }
  await origin.stop()
  if (broken.length === 0) rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
  if (broken.length === 0 && (figures.purged === 0 || figures.served === 0))
    broken = [{ round: rounds, seen: ['Nothing was purged, or nothing was served: this proves nothing'] }]
  return { seed, held: broken[0] ? Math.max(0, broken[0].round - 1) : rounds, broken, figures }
}
