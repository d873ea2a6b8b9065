import { createCache, type NearCache, type PurgeSelector } from '../../src/index.ts'
import { answerCalls, createCaller, createRacer, reports } from './race-context.ts'
import type { Body, Round } from './race-points.ts'

// The pages of purge-race-points.chromium.e2e.ts. The first one purges and says what happens when; the reads are its own, the second one's, or the worker's.

const racer = createRacer('race')
const { options, ...does } = racer
const call = createCaller()
let cache: NearCache

const bodyOf = async (response: Promise<Response>): Promise<Body> => (await response).json()
const readAll = (paths: readonly string[]): Promise<Body[]> =>
  Promise.all(paths.map((path) => bodyOf(cache.fetch(path))))
const pathsOf = (count: number) => Array.from({ length: count }, (_, index) => `/p/${index}`)

let version = 0

/** One batch of reads that a purge meets at one point. @returns what was wrong */
async function round({ point, place, selection, mode, count, early }: Round): Promise<string[]> {
  const paths = pathsOf(count)
  const reader = place === 'another tab' ? 'tab 2' : 'worker'
  const isHere = place === 'the same tab'
  /** The context whose reads are held. */
  const at = async (name: keyof typeof does | 'hear' | 'readAll', ...args: readonly unknown[]): Promise<unknown> =>
    isHere ? (does[name as keyof typeof does] as (...args: unknown[]) => unknown)(...args) : call(reader, name, ...args)
  const readThere = (): Promise<Body[]> =>
    isHere
      ? readAll(paths)
      : place === 'another tab'
        ? (call('tab 2', 'readAll', paths) as Promise<Body[]>)
        : Promise.all(paths.map((path) => bodyOf(fetch(path))))

  /** From now on the origin answers whoever may ask with this version. */
  const serve = (version: number) =>
    Promise.all([racer.serve(version), call(place === 'the worker' ? 'worker' : 'tab 2', 'serve', version)])

  // Nothing is stored, and nobody has missed that. A worker that has ended is woken.
  if (place === 'the worker') await fetch('/wake')
  await cache.purge({ all: true }, { mode: 'hard' })
  const before = ++version
  await serve(before)
  await at('arm', point, count)
  const reading = readThere()
  await at('reached')

  const after = ++version
  await serve(after)
  const purging = Promise.all(selectorsOf(selection, paths).map((selector) => cache.purge(selector, { mode })))
  if (!early && point !== 'inside the transaction') await purging
  await at('release')
  await purging

  // The disk first, as one sees it who holds nothing in memory: another context than that of the reads.
  const underWay = await reading
  const elsewhere = isHere ? ((await call('tab 2', 'readAll', paths)) as Body[]) : await readAll(paths)
  // The message of the purge has come before this call.
  await at('hear')
  const there = await readThere()
  const late = (who: string, bodies: readonly Body[], least: number) =>
    bodies.flatMap((body, index) =>
      body.path !== paths[index] || body.version < least
        ? [`${who} got ${body.path} in version ${body.version} for ${paths[index]}, where ${least} was purged for`]
        : [],
    )
  return [
    ...late('A read that was under way', underWay, before),
    ...late('A read elsewhere', elsewhere, after),
    ...late('A read there', there, after),
  ]
}

function selectorsOf(selection: Round['selection'], paths: readonly string[]): readonly PurgeSelector[] {
  if (selection === 'url') return paths.map((url) => ({ url }))
  if (selection === 'tag') return [{ tag: 'race' }]
  return selection === 'pattern' ? [{ pattern: '/p/*' }] : [{ all: true }]
}

const here = {
  open(name: 'tab 1' | 'tab 2') {
    cache = createCache(options)
    if (name === 'tab 2') answerCalls(name, { ...does, hear: () => reports, readAll })
  },
  /** @returns what was wrong */
  async race(rounds: readonly Round[]): Promise<string[]> {
    const wrong: string[] = []
    for (const one of rounds) wrong.push(...(await round(one)).map((what) => `${JSON.stringify(one)}: ${what}`))
    return wrong
  },
  async register(): Promise<void> {
    const { serviceWorker } = navigator
    const controlled = new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve))
    await serviceWorker.register('/worker.js')
    if (!serviceWorker.controller) await controlled
  },
  reports: () => reports,
}

Object.assign(does, { hear: () => reports })
declare global {
  var racing: typeof here
}
globalThis.racing = here
