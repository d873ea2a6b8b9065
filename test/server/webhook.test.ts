import { afterEach, describe, expect, test, vi } from 'vitest'
import { createPurgeHub, type PurgeHubOptions } from '../../src/server/index.ts'
import { memoryPurgeLog } from '../../src/server/purge-log.ts'
import { seededRandom, virtualClock } from '../../src/testing/index.ts'
import { otherSecret, secret, sign, webhook } from './webhooks.ts'

const payload = { selector: { tag: 'product-42' } }

function scene(options: PurgeHubOptions = {}) {
  const clock = virtualClock()
  const hub = createPurgeHub({ secret, clock, random: seededRandom(1), ...options })
  const purges = async () => {
    const response = await hub.feed(
      new Request('https://shop.example/feed', { headers: { accept: 'application/json' } }),
    )
    return ((await response.json()) as { purges: Array<{ selector: unknown; mode: string }> }).purges
  }
  return {
    clock,
    hub,
    purges,
    send: (body: unknown, more = {}) => hub.webhook(webhook(body, { at: clock.now(), ...more })),
  }
}

afterEach(() => vi.restoreAllMocks())

describe('a signed webhook purges', () => {
  test.each([
    ['an entry of a CMS, by its tag', { selector: { tag: 'product-42' } }],
    ['a page and what lists it', { selector: { tags: ['product-42', 'products'] }, mode: 'hard' }],
    ['one address', { selector: { url: 'https://shop.example/api/products/42' } }],
    ['a folder', { selector: { pattern: '/api/products/*' }, spread: 30_000 }],
    ['a deployment', { selector: { all: true }, mode: 'soft' }],
  ])('%s', async (_sentence, body) => {
    const { send, purges } = scene()
    const response = await send(body)
    expect([response.status, await response.json()]).toEqual([200, { number: 1 }])
    expect(await purges()).toMatchObject([{ mode: 'soft', ...body }])
  })

  test('at the time that it names', async () => {
    const { send, purges, clock } = scene()
    expect((await send({ ...payload, at: clock.now() + 60_000 })).status).toBe(200)
    expect((await send({ ...payload, at: '2026-01-01T02:00:00+01:00' }, { id: 'msg_2' })).status).toBe(200)
    expect(await purges()).toEqual([])
    await clock.advance(60_000)
    expect(await purges()).toHaveLength(1)
    await clock.advance(3_600_000)
    expect(await purges()).toHaveLength(2)
  })

  test.each([
    ['the later of two secrets', [otherSecret, secret], [secret]],
    ['the earlier one', [secret, otherSecret], [secret]],
    ['both, one after the other', [secret], [otherSecret, secret]],
  ])('signed by %s', async (_sentence, known, by) => {
    const { send } = scene({ secret: known })
    expect((await send(payload, { by })).status).toBe(200)
  })

  test.each([-300, 300])('whose clock is off by %i s', async (seconds) => {
    const { send, clock } = scene()
    expect((await send(payload, { at: clock.now() + seconds * 1000 })).status).toBe(200)
  })
})

describe('a webhook is refused, and nothing purged or logged:', () => {
  const at = virtualClock().now()
  const odd = (headers: Record<string, string>) => webhook(payload, { at, headers })
  const cases: ReadonlyArray<[string, number, () => Request]> = [
    ['another secret', 401, () => webhook(payload, { at, by: [otherSecret] })],
    [
      'another body',
      401,
      () => new Request(webhook(payload, { at }), { body: JSON.stringify({ selector: { all: true } }) }),
    ],
    ['another id', 401, () => odd({ 'webhook-id': 'msg_2' })],
    ['another time', 401, () => odd({ 'webhook-timestamp': String(at / 1000 + 1) })],
    ['no signature', 401, () => odd({ 'webhook-signature': '' })],
    ['no id', 401, () => odd({ 'webhook-id': '' })],
    [
      'a signature of another kind',
      401,
      () =>
        odd({ 'webhook-signature': sign(secret, 'msg_1', at / 1000, JSON.stringify(payload)).replace('v1,', 'v1a,') }),
    ],
    ['a signature that is no base64', 401, () => odd({ 'webhook-signature': 'v1,%%%' })],
    [
      'a signature cut short',
      401,
      () => odd({ 'webhook-signature': sign(secret, 'msg_1', at / 1000, JSON.stringify(payload)).slice(0, 20) }),
    ],
    [
      'a thousand signatures',
      401,
      () =>
        odd({
          'webhook-signature': `${'v1,AAAA '.repeat(1000)}${sign(secret, 'msg_1', at / 1000, JSON.stringify(payload))}`,
        }),
    ],
    ['a time five minutes and a second ago', 401, () => webhook(payload, { at: at - 301_000 })],
    ['a time five minutes and a second ahead', 401, () => webhook(payload, { at: at + 301_000 })],
    ['a time that is no number', 401, () => odd({ 'webhook-timestamp': '1e9' })],
    ['GET', 405, () => webhook(payload, { at, method: 'GET' })],
    ['DELETE', 405, () => webhook(payload, { at, method: 'DELETE' })],
    ['64 KiB and one byte', 413, () => webhook('x'.repeat(65_537), { at })],
    [
      'a body that says itself that it is too large',
      413,
      () => webhook(payload, { at, headers: { 'content-length': '65537' } }),
    ],
    ['64 KiB of something else', 422, () => webhook('x'.repeat(65_536), { at })],
    ['no JSON', 422, () => webhook('{', { at })],
    ['bytes that are no text', 422, () => webhook('\ud800', { at })],
    ...[
      null,
      [],
      {},
      { selector: {} },
      { selector: { tag: '' } },
      { selector: { tag: 1 } },
      { selector: { tags: [] } },
      { selector: { all: false } },
      { selector: { tag: 'a', all: true } },
      { selector: { partition: 'mara' } },
      { selector: { urls: ['a'] } },
      { ...payload, mode: 'invalidate' },
      { ...payload, spread: -1 },
      { ...payload, spread: 86_400_001 },
      { ...payload, at: 'tomorrow' },
      { ...payload, more: 1 },
      { selector: { tags: Array.from({ length: 1001 }, (_, index) => `t${index}`) } },
    ].map((body): [string, number, () => Request] => [
      `the payload ${JSON.stringify(body)?.slice(0, 60)}`,
      422,
      () => webhook(body, { at }),
    ]),
  ]
  test.each(cases)('%s', async (_sentence, status, request) => {
    const logged = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name))
    const { hub, purges } = scene()
    const response = await hub.webhook(request())
    expect(response.status).toBe(status)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const text = await response.text()
    for (const hidden of ['product-42', 'mara', secret.slice(6), 'a secret of']) expect(text).not.toContain(hidden)
    expect(await purges()).toEqual([])
    for (const spy of logged) expect(spy).not.toHaveBeenCalled()
  })

  test('10 MB, of which no more than 64 KiB and the chunk at hand are read', async () => {
    const { hub } = scene()
    let read = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          read += 16_384
          controller.enqueue(new Uint8Array(16_384))
          if (read >= 10_000_000) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const init = { method: 'POST', body, duplex: 'half', headers: webhook(payload, { at }).headers } as RequestInit
    expect((await hub.webhook(new Request('https://shop.example/purge', init))).status).toBe(413)
    expect(read).toBeLessThanOrEqual(65_536 + 2 * 16_384)
  })

  test('405 names what is allowed', async () => {
    const { hub } = scene()
    expect((await hub.webhook(new Request('https://shop.example/purge'))).headers.get('allow')).toBe('POST')
  })
})

describe('a webhook that comes again', () => {
  test('is answered with 200 and does nothing', async () => {
    const { send, purges } = scene()
    const [first, second] = [await send(payload), await send(payload)]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(await purges()).toHaveLength(1)
  })

  test('while the first is being dealt with waits for how that ends, and does nothing itself', async () => {
    let [asked, release] = [0, () => {}]
    const { send, purges, clock } = scene({
      forward: () => {
        asked++
        return new Promise<void>((resolve) => {
          release = resolve
        })
      },
    })
    const sent = [send(payload), send(payload), send(payload)]
    while (asked === 0) await clock.settle()
    release()
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect([asked, (await purges()).length]).toEqual([1, 1])
  })

  test('is remembered for as long as its signature could be used', async () => {
    const { hub, clock, purges } = scene()
    const sent = () => webhook(payload, { at: virtualClock().now() + 300_000 })
    await hub.webhook(sent())
    await clock.advance(599_000)
    expect((await hub.webhook(sent())).status).toBe(200)
    expect(await purges()).toHaveLength(1)
    await clock.advance(2_000)
    expect((await hub.webhook(sent())).status).toBe(401)
  })

  test('after the CDN has refused it is tried anew', async () => {
    let ill = true
    const { send, purges } = scene({
      retry: { attempts: 1 },
      forward: async () => {
        if (ill) throw new Error('the token of the CDN: abc')
      },
    })
    const refused = await send(payload)
    expect(refused.status).toBe(502)
    expect(await refused.text()).not.toContain('abc')
    expect(await purges()).toEqual([])
    ill = false
    expect((await send(payload)).status).toBe(200)
    expect(await purges()).toHaveLength(1)
  })
})

test.each(['whsec_', 'whsec_%%%', ['whsec_'], '', 12 as unknown as string])(
  'a secret that is none is refused at once, and not shown: %j',
  (wrong) => {
    expect(() => createPurgeHub({ secret: wrong })).toThrow(
      expect.objectContaining({ code: 'option', path: 'secret', message: expect.not.stringContaining('%%%') }),
    )
  },
)

test('a hub without a secret takes no webhooks, and says what it needs', async () => {
  await expect(createPurgeHub().webhook(webhook(payload, { at: 0 }))).rejects.toMatchObject({
    code: 'option',
    path: 'secret',
  })
})

test.each([
  ['nothing', ['isDone', 'append']],
  ['only its notes of what was seen', ['append']],
])('a log that is out of reach (%s can be kept): 503, so that it is sent again', async (_sentence, broken) => {
  const log = memoryPurgeLog({ retain: 10, random: seededRandom(2) })
  const down = async () => {
    throw new Error('connect ECONNREFUSED')
  }
  const { send, purges } = scene({ log: { ...log, ...Object.fromEntries(broken.map((name) => [name, down])) } })
  const response = await send(payload)
  expect([response.status, await response.json()]).toEqual([503, { message: expect.stringMatching(/Send it again/) }])
  expect(await purges()).toEqual([])
})

test('a replay is one up to the last moment at which its time is right: ten minutes, where the sender’s clock is ahead', async () => {
  const { send, purges, clock } = scene()
  const at = clock.now() + 300_000
  expect((await send(payload, { at })).status).toBe(200)
  await clock.advance(600_000)
  expect((await send(payload, { at })).status).toBe(200)
  expect(await purges()).toHaveLength(1)
  await clock.advance(1)
  expect((await send(payload, { at })).status).toBe(401)
})
