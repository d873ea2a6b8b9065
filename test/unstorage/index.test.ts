import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStorage, type Driver } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import memoryDriver from 'unstorage/drivers/memory'
import redisDriver from 'unstorage/drivers/redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom, storeContract, virtualClock } from '../../src/testing/index.ts'
import { unstorageStore } from '../../src/unstorage/index.ts'
import { harness } from '../engine/harness.ts'
import { asNamed } from '../stores/as-named.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis.ts'

const folders: string[] = []
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'nearcache-unstorage-'))
  folders.push(made)
  return made
}
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true })
})

let seed = 0
const over = (driver: Driver) => unstorageStore(createStorage({ driver }), { random: seededRandom(++seed) })
const onFiles = () => over(fsDriver({ base: folder() }))

describe.each([
  ['memory', () => over(memoryDriver())],
  ['files', onFiles],
])('the store on unstorage, on %s', (_name, create) => {
  storeContract(create, { test, seed: 5 })
  describe('within a named partition', () => {
    storeContract(() => asNamed(create()), { test, seed: 6 })
  })
})

describe.skipIf(!hasRedis())('the store on unstorage, on Redis', () => {
  let server: RedisServer
  const drivers: Driver[] = []
  let base = 0
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    for (const driver of drivers) await driver.dispose?.()
    await server.stop()
  })
  const onRedis = () => {
    const driver = redisDriver({ url: server.url, base: `b${++base}` })
    drivers.push(driver)
    return over(driver)
  }
  storeContract(onRedis, { test, seed: 7 })

  test('records expire, the log stays', async () => {
    const driver = redisDriver({ url: server.url, base: 'ttl' })
    drivers.push(driver)
    const { cache, origin } = harness({ store: unstorageStore(createStorage({ driver }), { ttlSeconds: 60 }) })
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'x' })
    await (await cache.fetch('/a')).text()
    await cache.settled()
    const client = driver.getInstance?.() as {
      keys(pattern: string): Promise<string[]>
      ttl(key: string): Promise<number>
    }
    const lives = Object.fromEntries(
      await Promise.all((await client.keys('ttl:*')).map(async (key) => [key.split(':')[2], await client.ttl(key)])),
    )
    expect(lives.log).toBe(-1)
    expect(lives.record).toBeGreaterThan(50)
  })
})

test('a cache over it answers after a restart of the process, and heeds what was purged before', async () => {
  const base = folder()
  const open = () => harness({ store: unstorageStore(createStorage({ driver: fsDriver({ base }) })) })
  const first = open()
  for (const url of ['/a', '/b']) {
    first.origin.serves(url, { cacheControl: 'max-age=600', body: url })
    await (await first.cache.fetch(url)).text()
  }
  await first.cache.settled()
  await first.cache.purge({ url: '/b' }, { mode: 'hard' })
  const second = open()
  expect(await (await second.cache.fetch('/a')).text()).toBe('/a')
  expect(second.origin.requests).toEqual([])
  expect((await second.cache.explain('/b')).cause).toBe('purged')
})

test('a torn file is a miss, and a torn log a new life: nothing stored before it is used', async () => {
  const base = folder()
  const store = unstorageStore(createStorage({ driver: fsDriver({ base }) }))
  const { cache, origin } = harness({ store })
  origin.serves('/a', { cacheControl: 'max-age=600', body: 'x'.repeat(1000) })
  await (await cache.fetch('/a')).text()
  await cache.settled()
  const record = join(base, 'nearcache/record')
  const [file] = readdirSync(record)
  const before = (await store.read([])).log.incarnation
  truncateSync(join(record, file as string), 700)
  const again = harness({ store: unstorageStore(createStorage({ driver: fsDriver({ base }) })) })
  expect((await again.cache.explain('/a')).cause).toBe('miss')
  truncateSync(join(base, 'nearcache/log'), 10)
  expect((await store.read([])).log.incarnation).not.toBe(before)
})

test('memory-only responses and cookies stay out of it', async () => {
  const base = folder()
  const { cache, origin } = harness({ store: unstorageStore(createStorage({ driver: fsDriver({ base }) })) })
  origin.serves('/mine', { cacheControl: 'private, max-age=600', body: 'secret' })
  await (await cache.fetch('/mine')).text()
  await cache.settled()
  expect(readdirSync(join(base, 'nearcache'))).toEqual(['log'])
})

test.each([
  [undefined, {}, 'storage'],
  [{}, {}, 'storage'],
  [createStorage(), { ttlSeconds: 0 }, 'ttlSeconds'],
])('%# is refused', (storage, options, path) => {
  expect(() => unstorageStore(storage as never, options)).toThrow(expect.objectContaining({ code: 'option', path }))
})

test('a storage that hangs: everything settles at the deadline, is refused from then on, and goes on when it answers again', async () => {
  const clock = virtualClock()
  const items = new Map<string, unknown>()
  let [asked, holding] = [0, Promise.resolve()]
  let release = () => {}
  const storage = {
    async getItemRaw(key: string) {
      asked++
      await holding
      return items.get(key)
    },
    async setItemRaw(key: string, value: unknown) {
      items.set(key, value)
    },
    async removeItem(key: string) {
      items.delete(key)
    },
  }
  const store = unstorageStore(storage, { clock, random: seededRandom(1), deadlineMs: 1_000 })
  const purge = () =>
    store.update([], () => [{ kind: 'purge', purge: { selector: { all: true }, mode: 'soft', at: 0 } }], {
      durability: 'strict',
    })
  await purge()
  // Who waits behind others that are slow, not hung, has time.
  holding = clock.sleep(700)
  const slowly = [purge(), purge(), purge()].map((one) => one.then(() => clock.now()))
  for (const after of [700, 700, 700]) {
    await clock.advance(after)
    holding = clock.sleep(700)
  }
  await Promise.all(slowly)
  await clock.advance(700)
  holding = new Promise((resolve) => {
    release = resolve
  })
  const before = asked
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: Error) => error.name,
    )
  const [reading, purging] = [outcome(store.read([])), outcome(purge())]
  await clock.advance(1_000)
  expect([await reading, await purging, await outcome(purge())]).toEqual(Array(3).fill('TimeoutError'))
  expect(asked).toBe(before + 1)
  release()
  await clock.settle()
  expect((await store.read([])).log.last).toBe(4)
  await purge()
  expect((await store.read([])).log.last).toBe(5)
  expect(clock.sleeping).toBe(0)
})
