import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPurgeHub, type PurgeHub } from '../../../src/server/index.ts'
import { type RedisClient, redisPurgeLog } from '../../../src/server/redis/index.ts'
import { seededRandom, type VirtualClock, virtualClock } from '../../../src/testing/index.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { reading } from '../events.ts'
import { secret, webhook } from '../webhooks.ts'

const url = 'https://shop.example/feed'

describe.skipIf(!hasRedis())('a purge log on Redis', () => {
  let server: RedisServer
  const clients: Array<{ destroy(): void }> = []
  const hubs: PurgeHub[] = []
  let prefix = 0

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    for (const hub of hubs) await hub.close()
    for (const client of clients) client.destroy()
    await server.stop()
  })
  beforeEach(() => {
    prefix++
  })

  async function connect() {
    const client = createClient({ url: server.url })
    client.on('error', () => {})
    await client.connect()
    clients.push(client)
    return client
  }
  /** A node of a hub: its own connection, the same log. */
  async function node(
    more: Parameters<typeof createPurgeHub>[0] & { retain?: number } = {},
    client?: RedisClient,
  ): Promise<PurgeHub> {
    const log = redisPurgeLog(client ?? (await connect()), {
      prefix: `{test-${prefix}}`,
      retain: more.retain ?? 1000,
    })
    const hub = createPurgeHub({ ...more, log })
    hubs.push(hub)
    return hub
  }
  const follow = async (hub: PurgeHub, after = '') => reading(await hub.feed(new Request(url + after)))
  const asJson = async (hub: PurgeHub, after = '') =>
    (await (await hub.feed(new Request(url + after, { headers: { accept: 'application/json' } }))).json()) as {
      number: number
      mark: string
      complete: boolean
      purges: Array<{ number: number; mark: string }>
    }
  const numbers = (list: ReadonlyArray<{ number: number | undefined }>) => list.map(({ number }) => number)

  test('is empty at first, and the same log for every node', async () => {
    const [one, other] = [await node(), await node()]
    const [seen, same] = [await asJson(one), await asJson(other)]
    expect(seen).toEqual({ number: 0, mark: expect.any(String), complete: true, purges: [] })
    expect(same).toEqual(seen)
  })

  test('numbers the purges of all nodes in one order, without a gap', async () => {
    const nodes = [await node(), await node(), await node()]
    const purging = Array.from(
      { length: 90 },
      (_, index) => nodes[index % 3]?.purge({ tag: `t${index}` }) as Promise<{ number: number }>,
    )
    expect(numbers(await Promise.all(purging)).sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(
      Array.from({ length: 90 }, (_, index) => index + 1),
    )
    const [one, other] = await Promise.all(nodes.map((hub) => asJson(hub)))
    expect(one).toEqual(other)
    expect(numbers(one?.purges ?? [])).toEqual(Array.from({ length: 90 }, (_, index) => index + 1))
  })

  test('keeps a purge whole', async () => {
    const hub = await node()
    await hub.purge({ pattern: '/ä/*"\\' }, { mode: 'hard', spread: 1500 })
    expect((await asJson(hub)).purges).toEqual([
      { number: 1, mark: expect.any(String), selector: { pattern: '/ä/*"\\' }, mode: 'hard', spread: 1500 },
    ])
  })

  test('gives what is after a position, and says when it cannot', async () => {
    const hub = await node({ retain: 3 })
    for (let index = 0; index < 5; index++) await hub.purge({ tag: `t${index}` })
    const { mark, purges } = await asJson(hub, '?after=2')
    expect(numbers(purges)).toEqual([3, 4, 5])
    expect(await asJson(hub, `?after=5.${mark}`)).toMatchObject({ complete: true, purges: [] })
    expect(numbers((await asJson(hub, `?after=3.${purges[0]?.mark}`)).purges)).toEqual([4, 5])
    for (const after of ['1', '9', '5.other', '0', '0.other'])
      expect(await asJson(hub, `?after=${after}`)).toMatchObject({ complete: false, number: 5, purges: [] })
  })

  test('gives one who missed exactly what is kept all of it: where the log begins its mark is known', async () => {
    const hub = await node({ retain: 3 })
    const life = (await asJson(hub)).mark
    for (let index = 0; index < 2; index++) await hub.purge({ tag: `t${index}` })
    const { mark } = await asJson(hub)
    await hub.purge({ tag: 't2' })
    expect(await asJson(hub, `?after=0.${life}`)).toMatchObject({ complete: true, purges: [{}, {}, {}] })
    for (let index = 3; index < 5; index++) await hub.purge({ tag: `t${index}` })
    expect(await asJson(hub, `?after=2.${mark}`)).toMatchObject({ complete: true, purges: [{}, {}, {}] })
    expect(await asJson(hub, '?after=2.other')).toMatchObject({ complete: false, purges: [] })
    await hub.purge({ tag: 't5' })
    expect(await asJson(hub, `?after=2.${mark}`)).toMatchObject({ complete: false, purges: [] })
  })

  test('what one node publishes, those who follow another one hear', async () => {
    const [one, other] = [await node(), await node()]
    const stream = await follow(other)
    await stream.take(1)
    const coming = stream.take(20)
    for (let index = 0; index < 20; index++) await one.purge({ tag: `t${index}` })
    expect((await coming).map(({ data }) => (data as { number: number }).number)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
    await stream.cancel()
  })

  test('when a node dies its followers go on at another one from where they were: nothing missed, nothing twice', async () => {
    const [one, other] = [await node(), await node()]
    const first = await follow(one)
    await first.take(1)
    const heard = first.take(2)
    await other.purge({ tag: 'a' })
    await one.purge({ tag: 'b' })
    const events = await heard
    // The node is gone in the midst of it; meanwhile others purge.
    await one.close()
    expect((await first.read()).done).toBe(true)
    await other.purge({ tag: 'c' })
    const second = await follow(other, `?after=${events.at(-1)?.id}`)
    const [greeting, missed] = await second.take(2)
    expect(greeting).toMatchObject({ data: { complete: true } })
    expect([...events, missed].map((event) => event?.data)).toMatchObject([
      { number: 1, selector: { tag: 'a' } },
      { number: 2, selector: { tag: 'b' } },
      { number: 3, selector: { tag: 'c' } },
    ])
    await second.cancel()
  })

  test('a log whose end was lost is another one, though its numbers come again', async () => {
    const hub = await node()
    await hub.purge({ tag: 'a' })
    const { mark } = await asJson(hub)
    await (await connect()).del([`{test-${prefix}}:purges`])
    await hub.purge({ tag: 'b' })
    expect(await asJson(hub, `?after=1.${mark}`)).toMatchObject({ complete: false, number: 1 })
  })

  test('an entry that this version cannot read is a gap, told once, and what comes after it follows', async () => {
    const hub = await node()
    await hub.purge({ tag: 'a' })
    const stream = await follow(hub)
    await stream.take(2)
    const client = await connect()
    const entry = ['mark', 'm', 'purge', '{"selector":{"later":1},"mode":"soft"}']
    await client.sendCommand(['XADD', `{test-${prefix}}:purges`, '2-0', ...entry])
    expect((await stream.take(1))[0]?.data).toMatchObject({ number: 2, mark: 'm', complete: false })
    expect(await asJson(hub, '?after=0')).toEqual({ number: 2, mark: 'm', complete: false, purges: [] })
    expect(await asJson(hub, '?after=2.m')).toEqual({ number: 2, mark: 'm', complete: true, purges: [] })
    await hub.purge({ tag: 'b' })
    await hub.purge({ tag: 'c' })
    expect((await stream.take(2)).map((event) => event?.data)).toMatchObject([
      { number: 3, selector: { tag: 'b' } },
      { number: 4, selector: { tag: 'c' } },
    ])
    // Nobody asks again and again for what cannot be read.
    const calls = async () =>
      /cmdstat_xread:calls=(\d+)/.exec(String(await client.sendCommand(['INFO', 'commandstats'])))?.[1]
    expect(Number(await calls())).toBeLessThan(50)
    await stream.cancel()
  })

  test('a webhook that one node has dealt with is a replay at every other', async () => {
    const [one, other] = [await node({ secret }), await node({ secret })]
    const sent = () => webhook({ selector: { tag: 'a' } }, { at: Date.now() })
    expect((await one.webhook(sent())).status).toBe(200)
    expect((await other.webhook(sent())).status).toBe(200)
    expect((await asJson(one)).number).toBe(1)
  })

  /** A connection of a node that dies at its nth command: before Redis has it, or before its answer is there. What the node does then is never heard of again. */
  async function dying(nth: number, when: 'before' | 'after') {
    const client = await connect()
    let [count, died] = [0, () => {}]
    const death = new Promise<'dead'>((resolve) => {
      died = () => resolve('dead')
    })
    const sendCommand = async (args: readonly string[]): Promise<unknown> => {
      const mine = ++count
      const answer = mine < nth || (mine === nth && when === 'after') ? await client.sendCommand(args) : undefined
      if (mine < nth) return answer
      died()
      return new Promise(() => {})
    }
    return { client: { sendCommand, duplicate: () => client.duplicate() } as RedisClient, death }
  }
  const deaths = [1, 2, 3, 4].flatMap((nth) => (['before', 'after'] as const).map((when) => [nth, when] as const))

  test.each(deaths)(
    'a webhook whose node dies at command %i, %s Redis has done it, is taken when it is sent again, and done once',
    async (nth, when) => {
      const { client, death } = await dying(nth, when)
      const sent = () => webhook({ selector: { tag: 'a' } }, { at: Date.now() })
      // One that needs fewer commands does not die.
      await Promise.race([death, (await node({ secret }, client)).webhook(sent())])
      const other = await node({ secret })
      for (let time = 0; time < 2; time++) expect((await other.webhook(sent())).status).toBe(200)
      expect((await asJson(other)).number).toBe(1)
    },
  )

  test('a webhook whose node dies while the CDN purges is taken when it is sent again, and a replay afterwards does nothing', async () => {
    let asked = () => {}
    const reached = new Promise<void>((resolve) => {
      asked = resolve
    })
    const sent = () => webhook({ selector: { tag: 'a' } }, { at: Date.now() })
    const forward = () => {
      asked()
      return new Promise(() => {})
    }
    const dead = await node({ secret, forward })
    dead.webhook(sent())
    await reached
    const forwarded: unknown[] = []
    const other = await node({ secret, forward: (purge) => forwarded.push(purge) })
    for (let time = 0; time < 2; time++) expect((await other.webhook(sent())).status).toBe(200)
    expect([forwarded.length, (await asJson(other)).number]).toEqual([1, 1])
  })

  test('a webhook that two nodes have in hand is published once', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const nodes = [await node({ secret, forward: () => held }), await node({ secret, forward: () => held })]
    const sent = nodes.map((hub) => hub.webhook(webhook({ selector: { tag: 'a' } }, { at: Date.now() })))
    await new Promise((resolve) => setImmediate(resolve))
    release()
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200])
    expect((await asJson(nodes[0] as PurgeHub)).number).toBe(1)
  })

  test.each(deaths)(
    'a scheduled webhook whose node dies at command %i, %s Redis has done it, is published at its time, once',
    async (nth, when) => {
      const clock = virtualClock()
      const { client, death } = await dying(nth, when)
      const at = clock.now() + 60_000
      const sent = () => webhook({ selector: { tag: 'a' }, at }, { at: clock.now() })
      const first = await node({ secret, clock }, client)
      await Promise.race([death, first.webhook(sent())])
      await first.close()
      const other = await node({ secret, clock })
      for (let time = 0; time < 2; time++) expect((await other.webhook(sent())).status).toBe(200)
      expect(await publishedIn(other, clock)).toBe(1)
    },
  )

  test.each(deaths)(
    'a scheduled purge whose node dies at command %i of its time, %s Redis has done it, is published once',
    async (nth, when) => {
      const clock = virtualClock()
      const planner = await node({ clock })
      await planner.purge({ tag: 'later' }, { at: clock.now() + 1_000 })
      await planner.close()
      await clock.advance(1_000)
      const { client } = await dying(nth, when)
      const first = await node({ clock }, client)
      for (let turn = 0; turn < 20; turn++) await asJson(planner)
      await first.close()
      const other = await node({ clock })
      expect(await publishedIn(other, clock)).toBe(1)
    },
  )

  /** How many purges there are once nothing is scheduled any more. */
  async function publishedIn(hub: PurgeHub, clock: VirtualClock): Promise<number> {
    const client = await connect()
    while (Number(await client.sendCommand(['ZCARD', `{test-${prefix}}:schedule`])) > 0) await clock.advance(5_000)
    return (await asJson(hub)).number
  }

  test('a hub that is closed while the CDN keeps it waiting leaves what is scheduled to another node', async () => {
    const clock = virtualClock()
    let attempts = 0
    const forward = () => {
      attempts++
      return Promise.reject(new Error('busy'))
    }
    const first = await node({ clock, forward, retry: { attempts: 20 } })
    await first.purge({ tag: 'later' }, { at: clock.now() + 1_000 })
    while (attempts === 0) await clock.advance(1_000)
    await first.close()
    expect(first.deadLetters()).toEqual([])
    expect(await publishedIn(await node({ clock }), clock)).toBe(1)
  })

  test('what a node has scheduled another one publishes when the first is gone, once', async () => {
    const clock = virtualClock()
    const random = seededRandom(prefix)
    const one = await node({ clock, random })
    await one.purge({ tag: 'later' }, { at: clock.now() + 60_000 })
    await one.close()
    const others = [await node({ clock, random }), await node({ clock, random })]
    await others[0]?.feed(new Request(url, { headers: { accept: 'application/json' } }))
    const published = async () => {
      for (let turn = 0; turn < 200; turn++) {
        await clock.advance(5_000)
        await new Promise((resolve) => setImmediate(resolve))
        const { number } = await asJson(others[0] as PurgeHub)
        if (number > 0) return number
      }
      return 0
    }
    expect((await asJson(others[0] as PurgeHub)).number).toBe(0)
    expect(await published()).toBe(1)
    for (let turn = 0; turn < 20; turn++) await clock.advance(60_000)
    expect((await asJson(others[1] as PurgeHub)).number).toBe(1)
  })

  test('who follows comes back when Redis was away for a moment', async () => {
    const clock = virtualClock()
    const watcher = await connect()
    const log = redisPurgeLog(watcher, { prefix: `{test-${prefix}}`, clock, random: () => 0 })
    const heard: number[] = []
    const all = new Promise<void>((resolve) => {
      log.watch((purges) => {
        heard.push(...purges.map(({ number }) => number))
        if (heard.includes(2)) resolve()
      })
    })
    await log.append({ selector: { tag: 'a' }, mode: 'soft' })
    const admin = await connect()
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await redisPurgeLog(admin, { prefix: `{test-${prefix}}` }).append({ selector: { tag: 'b' }, mode: 'soft' })
    let isOver = false
    all.then(() => {
      isOver = true
    })
    while (!isOver) await clock.advance(1_000)
    expect(heard).toContain(2)
    await log.close?.()
  })
})

test.each([
  [undefined, {}, 'client'],
  [{}, {}, 'client'],
  [{ sendCommand() {}, duplicate() {} }, { retain: 0 }, 'retain'],
])('%j with %j is refused', (client, options, path) => {
  expect(() => redisPurgeLog(client as never, options)).toThrow(expect.objectContaining({ code: 'option', path }))
})
