import { describe, expect, test } from 'vitest'
import { createPurgeHub, type PurgeHub, type PurgeHubOptions } from '../../src/server/index.ts'
import { seededRandom, virtualClock } from '../../src/testing/index.ts'
import { reading, type StreamEvent } from './events.ts'

const url = 'https://shop.example/feed'

function scene(options: PurgeHubOptions = {}) {
  const clock = virtualClock()
  const hub = createPurgeHub({ clock, random: seededRandom(1), ...options })
  return { clock, hub }
}
const follow = async (hub: PurgeHub, after = '', headers: Record<string, string> = {}) =>
  reading(await hub.feed(new Request(url + after, { headers })))
const asJson = async (hub: PurgeHub, after = '') => {
  const response = await hub.feed(new Request(url + after, { headers: { accept: 'application/json' } }))
  return (await response.json()) as {
    number: number
    mark: string
    complete: boolean
    purges: Array<{ number: number }>
  }
}
const numbers = (purges: ReadonlyArray<{ number: number }>) => purges.map(({ number }) => number)
async function purgeMany(hub: PurgeHub, count: number) {
  for (let index = 0; index < count; index++) await hub.purge({ tag: `t${index}` })
}

describe('purges', () => {
  test('are numbered from 1, one after the other', async () => {
    const { hub } = scene()
    const many = await Promise.all([
      hub.purge({ tag: 'a' }),
      hub.purge({ url: new URL('https://a.example/') }),
      hub.purge({ all: true }, { mode: 'hard' }),
    ])
    expect(numbers(many)).toEqual([1, 2, 3])
    expect((await asJson(hub)).purges).toMatchObject([
      { number: 1, selector: { tag: 'a' }, mode: 'soft' },
      { number: 2, selector: { url: 'https://a.example/' }, mode: 'soft' },
      { number: 3, selector: { all: true }, mode: 'hard' },
    ])
  })

  test.each([
    [{ partition: 'mara' }, {}, 'selector'],
    [{}, {}, 'selector'],
    [{ tag: '' }, {}, 'selector'],
    [{ tag: 'a' }, { mode: 'invalidate' }, 'mode'],
    [{ tag: 'a' }, { spread: -1 }, 'spread'],
    [{ tag: 'a' }, { at: new Date('no') }, 'at'],
  ])('%j with %j is refused', async (selector, options, path) => {
    await expect(scene().hub.purge(selector as never, options as never)).rejects.toMatchObject({ code: 'option', path })
  })

  test.each([
    [{ retain: 0 }, 'retain'],
    [{ heartbeatMs: Number.NaN }, 'heartbeatMs'],
    [{ heartbeatMs: Number.POSITIVE_INFINITY }, 'heartbeatMs'],
  ])('a hub with %j is refused', (options, path) => {
    expect(() => createPurgeHub(options)).toThrow(expect.objectContaining({ code: 'option', path }))
  })

  test('for later are published at their time, in its order, and have no number before', async () => {
    const { hub, clock } = scene()
    expect(await hub.purge({ tag: 'late' }, { at: clock.now() + 120_000 })).toEqual({ number: undefined })
    expect(await hub.purge({ tag: 'soon' }, { at: new Date(clock.now() + 1000), spread: 500 })).toEqual({
      number: undefined,
    })
    expect(await hub.purge({ tag: 'now' }, { at: clock.now() - 1 })).toEqual({ number: 1 })
    await clock.advance(999)
    expect((await asJson(hub)).number).toBe(1)
    await clock.advance(1)
    expect((await asJson(hub, '?after=1')).purges).toMatchObject([
      { number: 2, selector: { tag: 'soon' }, spread: 500 },
    ])
    await clock.advance(119_000)
    expect((await asJson(hub, '?after=2')).purges).toMatchObject([{ number: 3, selector: { tag: 'late' } }])
    await hub.close()
    expect(clock.sleeping).toBe(0)
  })

  test('are not taken any more by a hub that was closed', async () => {
    const { hub } = scene()
    await hub.close()
    await expect(hub.purge({ all: true })).rejects.toMatchObject({ code: 'state' })
  })
})

describe('as one answer', () => {
  test('the feed gives what is after a number, in order', async () => {
    const { hub } = scene()
    await purgeMany(hub, 5)
    const all = await asJson(hub)
    expect(all).toMatchObject({ number: 5, complete: true })
    expect(numbers(all.purges)).toEqual([1, 2, 3, 4, 5])
    expect(numbers((await asJson(hub, '?after=3')).purges)).toEqual([4, 5])
    expect(await asJson(hub, `?after=5.${all.mark}`)).toMatchObject({ number: 5, complete: true, purges: [] })
  })

  test('says when it no longer has all that is asked for', async () => {
    const { hub } = scene({ retain: 3 })
    await purgeMany(hub, 5)
    expect(numbers((await asJson(hub, '?after=2')).purges)).toEqual([3, 4, 5])
    expect(await asJson(hub, '?after=1')).toMatchObject({ complete: false, number: 5, purges: [] })
    expect(await asJson(hub)).toMatchObject({ complete: false })
  })

  test('gives one who missed exactly what is kept all of it: where the log begins its mark is known', async () => {
    const { hub } = scene({ retain: 3 })
    await purgeMany(hub, 2)
    const { mark } = await asJson(hub)
    await purgeMany(hub, 3)
    expect(await asJson(hub, `?after=2.${mark}`)).toMatchObject({ complete: true, purges: [{}, {}, {}] })
    expect(await asJson(hub, '?after=2.other')).toMatchObject({ complete: false, purges: [] })
    await purgeMany(hub, 1)
    expect(await asJson(hub, `?after=2.${mark}`)).toMatchObject({ complete: false, purges: [] })
  })

  test('says when the number is none of its own: of a log that was lost', async () => {
    const { hub } = scene()
    await purgeMany(hub, 2)
    expect(await asJson(hub, '?after=7')).toMatchObject({ complete: false, number: 2 })
    expect(await asJson(hub, '?after=2.other')).toMatchObject({ complete: false, number: 2 })
    expect(await asJson(hub, '?after=0.other')).toMatchObject({ complete: false })
  })

  test.each(['?after=x', '?after=-1', '?after=1.5e3.x y', `?after=${'1'.repeat(16)}`])('%s is a 400', async (after) => {
    expect((await scene().hub.feed(new Request(url + after))).status).toBe(400)
  })

  test('is kept by nobody, and read with GET', async () => {
    const { hub } = scene()
    const response = await hub.feed(new Request(url, { headers: { accept: 'application/json' } }))
    expect([response.headers.get('cache-control'), response.headers.get('vary')]).toEqual([
      'no-store',
      'Accept, Last-Event-ID',
    ])
    const posted = await hub.feed(new Request(url, { method: 'POST' }))
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET'])
  })
})

describe('as a stream', () => {
  test('it is one of events, held up by no proxy and kept by nobody', async () => {
    const { headers } = await scene().hub.feed(new Request(url))
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-store, no-transform')
    expect(headers.get('x-accel-buffering')).toBe('no')
  })

  test('it says first where the log ends, then what was missed, then what comes', async () => {
    const { hub } = scene()
    await purgeMany(hub, 2)
    const stream = await follow(hub, '?after=1')
    const [greeting, missed] = await stream.take(2)
    expect(greeting).toMatchObject({ event: 'position', data: { number: 2, complete: true, heartbeatMs: 20_000 } })
    expect(greeting).not.toHaveProperty('id')
    expect(missed).toMatchObject({ event: 'purge', data: { number: 2, selector: { tag: 't1' } } })
    const coming = stream.take(1)
    await hub.purge({ pattern: '/api/*' }, { mode: 'hard', spread: 1000 })
    const purge = (await coming)[0] as StreamEvent
    expect(purge).toMatchObject({ data: { number: 3, selector: { pattern: '/api/*' }, mode: 'hard', spread: 1000 } })
    expect(purge.id).toBe(`3.${(purge.data as { mark: string }).mark}`)
  })

  test('Last-Event-ID goes before ?after: it is the later one', async () => {
    const { hub } = scene()
    await purgeMany(hub, 3)
    const [, missed] = await (await follow(hub, '?after=0', { 'last-event-id': '2' })).take(2)
    expect(missed).toMatchObject({ data: { number: 3 } })
  })

  test('to whom the gap is too old it says so, and from where it goes on', async () => {
    const { hub } = scene({ retain: 1 })
    await purgeMany(hub, 3)
    const stream = await follow(hub, '?after=1')
    const [greeting] = await stream.take(1)
    expect(greeting).toMatchObject({ id: expect.stringMatching(/^3\./), data: { complete: false, number: 3 } })
    const coming = stream.take(1)
    await hub.purge({ tag: 'a' })
    expect(await coming).toMatchObject([{ data: { number: 4 } }])
  })

  test('a sign of life comes after each silence', async () => {
    const { hub, clock } = scene({ heartbeatMs: 1000 })
    const stream = await follow(hub)
    await stream.take(1)
    const coming = stream.take(2)
    await clock.advance(2000)
    expect(await coming).toMatchObject([
      { event: 'beat', data: 0 },
      { event: 'beat', data: 0 },
    ])
    await stream.cancel()
    expect(clock.sleeping).toBe(0)
  })

  test('many who follow are each told once, whenever they came', async () => {
    const { hub } = scene()
    const streams = await Promise.all(Array.from({ length: 50 }, () => follow(hub)))
    await Promise.all(streams.map((stream) => stream.take(1)))
    const told = streams.map((stream) => stream.take(20))
    for (let index = 0; index < 20; index++) await hub.purge({ tag: `t${index}` })
    for (const events of await Promise.all(told))
      expect(events.map(({ data }) => (data as { number: number }).number)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      )
    await hub.close()
    expect((await streams[0]?.read())?.done).toBe(true)
  })

  test('one that reads slowly holds nobody up, and catches up from the log', async () => {
    const { hub } = scene()
    const [slow, quick] = [await follow(hub), await follow(hub)]
    await quick.take(1)
    const coming = quick.take(100)
    await purgeMany(hub, 100)
    expect(await coming).toHaveLength(100)
    const events = await slow.take(101)
    expect(events.slice(1).map(({ data }) => (data as { number: number }).number)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    )
  })

  test('one so slow that the log is past it is told so in the midst of it', async () => {
    const { hub } = scene({ retain: 2 })
    const slow = await follow(hub)
    await slow.take(1)
    await purgeMany(hub, 5)
    expect(await slow.take(1)).toMatchObject([{ event: 'position', data: { complete: false, number: 5 } }])
  })

  test('one that takes nothing for four heartbeats is let go', async () => {
    const { hub, clock } = scene({ heartbeatMs: 1000 })
    const stuck = await follow(hub)
    await clock.advance(3000)
    await stuck.take(1)
    await clock.advance(1000)
    const gone = await follow(hub)
    await clock.advance(5000)
    await expect(gone.take(1)).rejects.toThrow('too slowly')
    expect(clock.sleeping).toBeLessThanOrEqual(1)
  })

  test('is refused by a hub that was closed, which has let go of everything', async () => {
    const { hub, clock } = scene()
    const stream = await follow(hub)
    await stream.take(1)
    await hub.close()
    expect((await stream.read()).done).toBe(true)
    expect((await hub.feed(new Request(url))).status).toBe(503)
    expect(clock.sleeping).toBe(0)
  })
})

describe('with a CDN in front', () => {
  test('nobody is told before the CDN has purged', async () => {
    let release = () => {}
    const { hub } = scene({ forward: () => new Promise<void>((resolve) => (release = resolve)) })
    const purging = hub.purge({ tag: 'a' })
    expect((await asJson(hub)).number).toBe(0)
    release()
    expect(await purging).toEqual({ number: 1 })
    expect((await asJson(hub)).number).toBe(1)
  })

  test('a failure is tried again after pauses by full jitter', async () => {
    const at: number[] = []
    const { hub, clock } = scene({
      random: () => 0.5,
      forward: () => {
        at.push(clock.now())
        if (at.length < 4) throw new Error('busy')
      },
    })
    const purging = hub.purge({ tag: 'a' })
    await clock.advance(10_000)
    expect(await purging).toEqual({ number: 1 })
    expect(at.map((one) => one - (at[0] as number))).toEqual([0, 250, 750, 1750])
    expect(hub.deadLetters()).toEqual([])
  })

  test('what it does not take after all is published to nobody, and is a dead letter that can be tried again', async () => {
    const busy = new Error('busy')
    let ill = true
    const { hub, clock } = scene({
      forward: async () => {
        if (ill) throw busy
      },
    })
    const purging = hub.purge({ tag: 'a' }).catch((error: unknown) => error)
    await clock.advance(60_000)
    expect(await purging).toMatchObject({ code: 'forward', cause: busy })
    expect((await asJson(hub)).number).toBe(0)
    const [letter] = hub.deadLetters()
    expect(letter).toMatchObject({ purge: { selector: { tag: 'a' } }, error: busy })
    ill = false
    expect(await letter?.retry()).toEqual({ number: 1 })
    expect(hub.deadLetters()).toEqual([])
    await expect(letter?.retry()).rejects.toMatchObject({ code: 'state' })
  })

  test('a hundred dead letters are kept', async () => {
    const { hub } = scene({ retry: { attempts: 1 }, forward: () => Promise.reject(new Error('no')) })
    for (let index = 0; index < 101; index++) await hub.purge({ tag: `t${index}` }).catch(() => {})
    expect(hub.deadLetters()).toHaveLength(100)
    expect(hub.deadLetters()[0]).toMatchObject({ purge: { selector: { tag: 't1' } } })
  })

  test('a scheduled purge goes to it at its time; what it refuses then is a dead letter, once', async () => {
    const { hub, clock } = scene({ retry: { attempts: 1 }, forward: () => Promise.reject(new Error('no')) })
    await hub.purge({ tag: 'a' }, { at: clock.now() + 1000 })
    await clock.advance(3_600_000)
    expect(hub.deadLetters()).toHaveLength(1)
    expect(clock.sleeping).toBe(0)
  })
})
