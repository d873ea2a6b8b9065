import { describe, expect, onTestFinished, test } from 'vitest'
import { createCache, type NearCache } from '../../src/index.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import { search } from '../support/left-behind.ts'

// FAULTS F-63, R5, R7 in every engine: a user signs out while the disk is ill. The databases are real; how they fail is what the engines do.

/** A slow machine is no failure, save where a database hangs, until the test ends it. In milliseconds. */
const PATIENT = 60_000
const IMPATIENT = 300

/** What a disk does from the moment on at which it falls ill. */
interface Illness {
  open?(): never
  transaction(begin: () => IDBTransaction, database: IDBDatabase): IDBTransaction
}

const ILLNESSES: Readonly<Record<string, Illness>> = {
  'no transaction begins': {
    transaction() {
      throw new DOMException('Internal error', 'UnknownError')
    },
  },
  'every transaction is aborted': {
    transaction(begin) {
      const transaction = begin()
      queueMicrotask(() => transaction.abort())
      return transaction
    },
  },
  'the connection is lost, and there is no other': {
    open() {
      throw new DOMException('The operation is insecure', 'SecurityError')
    },
    transaction(begin, database) {
      database.close()
      return begin()
    },
  },
}

/** Makes a cache whose way to the databases of this origin may fall ill, and no other's. */
function onDiskOfItsOwn(make: () => NearCache) {
  let illness: Illness | undefined
  const own = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB') as PropertyDescriptor
  const real = indexedDB
  const factory = {
    open(name: string, version?: number) {
      illness?.open?.()
      const opening = real.open(name, version)
      opening.addEventListener('success', () => {
        const database = opening.result
        const begin = database.transaction.bind(database)
        database.transaction = (...given) =>
          illness ? illness.transaction(() => begin(...given), database) : begin(...given)
      })
      return opening
    },
  }
  Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: factory })
  try {
    const cache = make()
    return {
      cache,
      falls(ill: Illness | undefined) {
        illness = ill
      },
    }
  } finally {
    Object.defineProperty(globalThis, 'indexedDB', own)
  }
}

/** Holds a transaction of that database open; gives what ends it. */
async function hold(name: string): Promise<() => Promise<unknown>> {
  const opening = indexedDB.open(name)
  await new Promise((resolve, reject) => {
    opening.onsuccess = resolve
    opening.onerror = () => reject(opening.error)
  })
  const transaction = opening.result.transaction('nearcache', 'readwrite')
  const objects = transaction.objectStore('nearcache')
  const held = new Promise((resolve) => {
    transaction.oncomplete = resolve
  })
  let isHeld = true
  const spin = () => {
    const request = objects.get('nothing')
    request.onsuccess = () => isHeld && spin()
    return request
  }
  await new Promise((begun) => spin().addEventListener('success', begun))
  return async () => {
    isHeld = false
    await held
    opening.result.close()
  }
}

const PATHS = ['/me', '/mine', '/large']
const IF_CACHED = { cache: 'only-if-cached', mode: 'same-origin' } as const

/** A browser in which Anna is signed in, with two tabs that have read what is hers. */
async function annasTabs() {
  const id = crypto.randomUUID()
  const [name, canary] = [`ill ${id}`, `anna-${id}`]
  let user = canary
  let aheadMs = 0
  let atMostMs = PATIENT
  const clock = {
    ...systemClock,
    now: () => systemClock.now() + aheadMs,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, atMostMs), signal),
  }
  const fetch = async (input: RequestInfo | URL) => {
    const { pathname } = new URL(new Request(input).url)
    return Response.json(
      { user, pad: pathname === '/large' ? `${user} `.repeat(5_000) : '' },
      { headers: { 'cache-control': 'private, max-age=600, stale-if-error=600', etag: `"${user}"` } },
    )
  }
  const open = (partition?: string) => {
    const tab = onDiskOfItsOwn(() =>
      createCache({ name, fetch, clock, deadlines: { diskMs: PATIENT }, ...(partition && { partition }) }),
    )
    onTestFinished(() => tab.cache.close())
    return tab
  }
  const [here, other] = [open(canary), open(canary)]
  for (const { cache } of [here, other]) {
    for (const path of [...PATHS, '/kept']) expect(await cache.json(path)).toMatchObject({ user: canary })
    await cache.settled()
  }
  expect(await search(canary, [name])).not.toEqual([])
  /** What a page gets that is Anna's: at once, of what is stored, and of what it asks for as usual. */
  const hers = async ({ cache }: { cache: NearCache }): Promise<string[]> => {
    const shown = PATHS.map((path) => JSON.stringify(cache.peek(path)?.data) ?? '')
    const asked = PATHS.flatMap((path) => [
      cache.fetch(path, IF_CACHED).then((response) => response.text()),
      cache.fetch(path).then((response) => response.text()),
      cache.fetch(path, { cache: 'force-cache' }).then((response) => response.text()),
      cache.json(path).then((data) => JSON.stringify(data)),
    ])
    const given = (await Promise.allSettled(asked)).map((one) => ('value' in one ? one.value : ''))
    const dehydrated = await cache.dehydrate(() => true)
    const bodies = dehydrated.responses.map(({ body }) => atob(body))
    return [...shown, ...given, ...bodies].filter((text) => text.includes(canary)).map((text) => text.slice(0, 100))
  }
  // Each in six ways; dehydrated the one more, too.
  for (const tab of [here, other]) expect(await hers(tab)).toHaveLength(6 * PATHS.length + 1)
  return {
    here,
    other,
    open,
    hers,
    left: () => search(canary, [name]),
    /** Whom the origin answers. */
    is(next: string) {
      user = next
    },
    /** A database that has failed is no longer left alone. */
    later() {
      aheadMs += 100_000
    },
    /** Nobody waits for longer from then on. */
    waits(ms: number) {
      atMostMs = ms
    },
    name,
  }
}

type World = Awaited<ReturnType<typeof annasTabs>>

/** She signs out, which the disk does not take: it is said, and nobody is given anything of hers from then on. */
async function leaves({ here, other, hers, is }: World, next?: string): Promise<void> {
  is(next ?? 'nobody')
  const leaving = here.cache.setPartition(next)
  const atOnce = [here.cache.stats().memoryBytes, PATHS.filter((path) => here.cache.peek(path))]
  const meanwhile = hers(here)
  await expect(leaving).rejects.toMatchObject({ name: 'CacheError', code: 'storage' })
  expect(atOnce).toEqual([0, []])
  expect(await meanwhile).toEqual([])
  expect(await hers(here)).toEqual([])
  await expect.poll(() => hers(other)).toEqual([])
  expect(await hers(other)).toEqual([])
}

/** The disk is well again. Whatever of it is used first, what was hers goes before. */
async function isWellAgain({ here, other, hers, left, later }: World): Promise<void> {
  expect(await hers(other)).toEqual([])
  const use = async () => {
    // One at a time looks whether a database that failed is well; the others do without it meanwhile.
    later()
    await expect(here.cache.fetch('/kept', IF_CACHED)).rejects.toThrow(TypeError)
    return left()
  }
  await expect.poll(use).toEqual([])
  for (const tab of [here, other]) expect(await hers(tab)).toEqual([])
}

describe.each(Object.entries(ILLNESSES))('%s', (_, illness) => {
  test.each([
    ['in every tab', true, undefined],
    ['in the tab that signs out', false, undefined],
    ['in every tab, and another user signs in', true, 'ben'],
    ['in the tab in which another user signs in', false, 'ben'],
  ] as const)(
    '%s: the sign-out is said to have failed, and nobody is given anything of hers, then or later',
    async (_, isEverywhere, next) => {
      const world = await annasTabs()
      world.here.falls(illness)
      if (isEverywhere) world.other.falls(illness)
      await leaves(world, next)
      expect(await world.left()).not.toEqual([])
      world.here.falls(undefined)
      world.other.falls(undefined)
      await isWellAgain(world)
    },
  )
})

test('somebody else holds a transaction open: at the deadline it is the same', async () => {
  const world = await annasTabs()
  const letGo = await hold(world.name)
  world.waits(IMPATIENT)
  await leaves(world)
  await letGo()
  world.waits(PATIENT)
  await isWellAgain(world)
})
