import type { StandardSchemaV1 } from '@standard-schema/spec'
import { act, render, screen } from '@testing-library/react'
import { useDeferredValue, useState, useTransition } from 'react'
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { CacheError } from '../../src/index.ts'
import { CacheProvider, useCache, useFetch } from '../../src/react/index.ts'
import { page } from './harness.tsx'

const minute = 60_000

/** What a component was shown, rendering by rendering; parts that it does not name are not used. */
function recorder() {
  const seen: unknown[] = []
  return { seen, note: (value: unknown) => seen.push(value) }
}

interface Product {
  readonly id: number
  readonly name: string
}

test('a first visit shows pending, then the data', async () => {
  const { show, origin, settle, expectNoErrors } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 1, name: 'Cup' } })
  const { seen, note } = recorder()
  const Show = () => {
    const { status, data, error } = useFetch<Product>('/product')
    note([status, data?.name, error])
    return <p>{data?.name ?? '…'}</p>
  }
  show(<Show />)
  await settle()
  expect(seen).toEqual([
    ['pending', undefined, undefined],
    ['success', 'Cup', undefined],
  ])
  expect(screen.getByText('Cup')).toBeTruthy()
  expect(origin.requests).toHaveLength(1)
  expectNoErrors()
})

test('a fresh hit in memory is there at the first rendering, and asks nobody', async () => {
  const { cache, show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 1 } })
  await cache.json('/product')
  const { seen, note } = recorder()
  const Show = () => {
    const { status, isRevalidating, isStale, cause } = useFetch('/product')
    note([status, isRevalidating, isStale, cause])
    return null
  }
  show(<Show />)
  await settle()
  expect(seen).toEqual([['success', false, false, 'fresh']])
  expect(origin.requests).toHaveLength(1)
})

test('a 304 does not render again what uses the data alone, and is seen by what looks at staleness (RFC 9111 §4.3.4)', async () => {
  const { cache, show, origin, clock, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', etag: '"1"', json: { id: 1 } })
  await cache.json('/product')
  await clock.advance(minute)
  const [data, stale] = [recorder(), recorder()]
  const ShowData = () => {
    data.note(useFetch('/product').data)
    return null
  }
  const ShowStale = () => {
    const { isStale, isRevalidating } = useFetch('/product')
    stale.note([isStale, isRevalidating])
    return null
  }
  show(
    <>
      <ShowData />
      <ShowStale />
    </>,
  )
  await settle()
  expect(origin.requests.map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([undefined, '"1"'])
  expect(data.seen).toEqual([{ id: 1 }])
  expect(stale.seen).toEqual([
    [true, false],
    [true, true],
    [false, false],
  ])
})

test('1,000 components on one key: 1 flight, 1 rendering each per change, none on a 304', async () => {
  const { cache, show, origin, settle, advance } = page()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', etag: `"${version}"`, json: version }))
  let renderings = 0
  const Show = () => {
    renderings++
    return <i>{useFetch<number>('/n').data}</i>
  }
  const { container } = show(Array.from({ length: 1000 }, (_, index) => <Show key={String(index)} />))
  expect(renderings).toBe(1000)
  await settle()
  expect(renderings).toBe(2000)
  expect(origin.requests).toHaveLength(1)

  await advance(minute)
  await act(() => cache.json('/n'))
  await settle()
  expect(origin.requests).toHaveLength(2)
  expect(renderings).toBe(2000)

  version = 2
  await advance(minute)
  await act(() => cache.json('/n'))
  await settle()
  expect(renderings).toBe(3000)
  expect(container.textContent).toBe('2'.repeat(1000))
  expect(cache.stats().requests).toBe(3)
})

test('StrictMode mounts twice, and asks once', async () => {
  const { show, origin, settle, expectNoErrors } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: 'Cup' })
  origin.serves('/stock', { cacheControl: 'no-store', json: 5 })
  const Show = () => {
    const product = useFetch<string>('/product')
    const stock = useFetch<number>('/stock')
    return <p>{`${product.data} ${stock.data}`}</p>
  }
  const { container } = show(<Show />, true)
  await settle()
  expect(container.textContent).toBe('Cup 5')
  expect(origin.requests.map(({ path, aborted }) => [path, aborted])).toEqual([
    ['/product', false],
    ['/stock', false],
  ])
  expectNoErrors()
})

test('the last one to leave aborts the request; one of two does not', async () => {
  const { show, origin, settle, wrap, expectNoErrors } = page()
  origin.serves('/slow', { cacheControl: 'max-age=60', json: 1 })
  origin.hold('/slow')
  const Show = () => <p>{String(useFetch('/slow').data)}</p>
  const view = show([<Show key="1" />, <Show key="2" />])
  await settle()
  view.rerender(wrap([<Show key="1" />]))
  await settle()
  expect(origin.requests).toMatchObject([{ aborted: false }])
  view.rerender(wrap([]))
  await settle()
  expect(origin.requests).toMatchObject([{ aborted: true }])
  expectNoErrors()
})

test('the last component to leave does not abort what another caller waits for', async () => {
  const { show, cache, origin, settle } = page()
  origin.serves('/slow', { cacheControl: 'max-age=60', json: 1 })
  const held = origin.hold('/slow')
  const Show = () => <p>{String(useFetch('/slow').data)}</p>
  const view = show(<Show />)
  const other = cache.json('/slow')
  await settle()
  view.unmount()
  await settle()
  held.release()
  expect(await other).toBe(1)
  expect(origin.requests).toMatchObject([{ aborted: false }])
})

test('another key during a flight: the answer to the first is not shown, and its request ends', async () => {
  const { show, origin, settle, wrap } = page()
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'a' })
  origin.serves('/b', { cacheControl: 'max-age=60', json: 'b' })
  const held = origin.hold('/a')
  const { seen, note } = recorder()
  const Show = ({ path }: { path: string }) => {
    note(useFetch(path).data)
    return null
  }
  const view = show(<Show path="/a" />)
  await settle()
  view.rerender(wrap(<Show path="/b" />))
  await settle()
  held.release()
  await settle()
  expect(seen).toEqual([undefined, undefined, 'b'])
  expect(origin.requests).toMatchObject([
    { path: '/a', aborted: true },
    { path: '/b', aborted: false },
  ])
})

test('null waits for what the input depends on', async () => {
  const { show, origin, settle } = page()
  origin.serves('/me', { cacheControl: 'max-age=60', json: { id: 7 } })
  origin.serves('/orders/7', { cacheControl: 'max-age=60', json: ['cup'] })
  const { seen, note } = recorder()
  const Show = () => {
    const me = useFetch<{ id: number }>('/me')
    const orders = useFetch<string[]>(me.data ? `/orders/${me.data.id}` : null)
    note([orders.status, orders.isRevalidating])
    return <p>{orders.data?.join()}</p>
  }
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('cup')
  expect(origin.requests.map(({ path }) => path)).toEqual(['/me', '/orders/7'])
  expect(seen[0]).toEqual(['pending', false])
})

test('on null there is nothing to refresh or to change', async () => {
  const { show } = page()
  let result: ReturnType<typeof useFetch> | undefined
  const Show = () => {
    result = useFetch(null)
    return null
  }
  show(<Show />)
  await result?.refresh()
  result?.update((data) => data).rollback()
  expect(result).toMatchObject({ status: 'pending', ageMs: undefined })
})

test('keepPrevious shows the data before until the next is there, and says that it is stale', async () => {
  const { show, origin, settle, wrap } = page()
  for (const path of ['/1', '/2']) origin.serves(path, { cacheControl: 'max-age=60', json: path })
  const { seen, note } = recorder()
  const Show = ({ path }: { path: string }) => {
    const { data, status, isStale } = useFetch<string>(path, { keepPrevious: true })
    note([status, data, isStale])
    return null
  }
  const view = show(<Show path="/1" />)
  await settle()
  view.rerender(wrap(<Show path="/2" />))
  await settle()
  expect(seen).toEqual([
    ['pending', undefined, false],
    ['success', '/1', false],
    ['success', '/1', true],
    ['success', '/2', false],
  ])
})

test('an error has the reason, keeps the data that there was, and goes with the next good answer', async () => {
  const { show, origin, settle, advance } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: 'Cup' })
  const { seen, note } = recorder()
  let refresh = async () => {}
  const Show = () => {
    const { status, data, error, ...means } = useFetch<string>('/product')
    refresh = means.refresh
    note([status, data, error instanceof CacheError ? error.code : error])
    return null
  }
  show(<Show />)
  await settle()
  await advance(minute)
  origin.fails('/product', 500)
  await act(() => refresh())
  origin.recovers()
  await act(() => refresh())
  const distinct = seen.filter((one, index) => JSON.stringify(one) !== JSON.stringify(seen[index - 1]))
  expect(distinct).toEqual([
    ['pending', undefined, undefined],
    ['success', 'Cup', undefined],
    ['error', 'Cup', 'status'],
    ['success', 'Cup', undefined],
  ])
})

test('refresh() resolves when the origin has answered, also when a purge or another refresh() has taken its place', async () => {
  const { cache, show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: 'Cup' })
  const ended: string[] = []
  let refresh = async () => {}
  const Show = () => {
    const product = useFetch<string>('/product')
    refresh = product.refresh
    return <p>{product.data}</p>
  }
  show(<Show />)
  await settle()
  const held = origin.hold('/product')
  await act(async () => {
    refresh().then(() => ended.push('first'))
    refresh().then(() => ended.push('second'))
    await cache.purge({ url: '/product' })
  })
  await settle()
  expect(ended).toEqual([])
  held.release()
  await settle()
  expect(ended.sort()).toEqual(['first', 'second'])
})

test('an answer that must not be stored is shown for as long as it is on the page, and no longer (RFC 9111 §5.2.2.5)', async () => {
  const { show, origin, settle } = page()
  let stock = 5
  origin.serves('/stock', () => ({ cacheControl: 'no-store', json: stock-- }))
  const { seen, note } = recorder()
  const Show = () => {
    const { data, isStale, response } = useFetch<number>('/stock')
    note([data, isStale, response?.cause, response?.status, response?.headers.get('cache-control')])
    return null
  }
  const view = show(<Show />)
  await settle()
  expect(seen.at(-1)).toEqual([5, false, 'miss', 200, 'no-store'])
  view.unmount()
  await settle()
  show(<Show />)
  expect(seen.at(-1)).toEqual([undefined, false, undefined, undefined, undefined])
  await settle()
  expect(seen.at(-1)).toEqual([4, false, 'miss', 200, 'no-store'])
  expect(origin.requests).toHaveLength(2)
})

test('an answer that cannot be stored is shown instead of an older one that is', async () => {
  const { cache, show, origin, settle, clock } = page()
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'old' })
  await cache.json('/a')
  await clock.advance(minute)
  origin.serves('/a', { cacheControl: 'max-age=60', vary: '*', json: 'new' })
  const Show = () => <p>{useFetch<string>('/a').data}</p>
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('new')
})

test('an empty body is a success without data', async () => {
  const { show, origin, settle } = page()
  origin.serves('/nothing', { status: 204, cacheControl: 'max-age=60' })
  const Show = () => {
    const { status, data } = useFetch('/nothing')
    return <p>{`${status} ${data}`}</p>
  }
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('success undefined')
})

test('text and blobs are read as such; the same bytes stay the same blob', async () => {
  const { cache, show, origin, settle, advance, errors } = page()
  origin.serves('/page', { cacheControl: 'max-age=60', body: '<p>' })
  origin.serves('/picture', { cacheControl: 'max-age=60', body: 'abc', headers: { 'content-type': 'image/png' } })
  origin.serves('/gone', { status: 404, cacheControl: 'max-age=60' })
  const { seen, note } = recorder()
  let refresh = async () => {}
  const Show = () => {
    const text = useFetch('/page', { as: 'text' })
    const blob = useFetch('/picture', { as: 'blob' })
    const gone = useFetch('/gone', { as: 'text' })
    refresh = blob.refresh
    note(blob.data)
    return <p>{`${text.data} ${blob.data?.type} ${blob.data?.size} ${(gone.error as CacheError | undefined)?.code}`}</p>
  }
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('<p> image/png 3 status')
  const first = seen.at(-1)
  const renderings = seen.length
  await act(() => refresh())
  await advance(minute)
  await act(() => cache.fetch('/picture').then((response) => response.text()))
  await settle()
  expect(seen).toHaveLength(renderings)
  origin.serves('/picture', { cacheControl: 'max-age=60', body: 'abd', headers: { 'content-type': 'image/png' } })
  await act(() => refresh())
  expect(seen.at(-1)).not.toBe(first)
  expect(await (seen.at(-1) as Blob).text()).toBe('abd')
  expect(errors.mock.calls).toEqual([])
})

test('select gives a part, and a change elsewhere in the body renders nothing', async () => {
  const { cache, show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 1, name: 'Cup' } })
  const { seen, note } = recorder()
  const Show = () => {
    note(useFetch('/product', { select: (product: Product) => product.name }).data)
    return null
  }
  show(<Show />)
  await settle()
  await act(async () => void cache.update<Product>('/product', (product) => ({ ...product, id: 2 })))
  expect(seen).toEqual([undefined, 'Cup'])
  await act(async () => void cache.update<Product>('/product', (product) => ({ ...product, name: 'Jar' })))
  expect(seen).toEqual([undefined, 'Cup', 'Jar'])
})

test('a schema gives its output, once for a body, also when it is written inside the component', async () => {
  const { show, cache, origin, settle, advance, expectNoErrors } = page()
  origin.serves('/at', { cacheControl: 'max-age=60', etag: '"1"', json: { at: '2026-01-02' } })
  const { seen, note } = recorder()
  const Show = () => {
    const [, again] = useState(0)
    const schema = z.object({
      at: z.pipe(
        z.string(),
        z.transform((text) => new Date(text)),
      ),
    })
    const { data } = useFetch('/at', { schema })
    note(data)
    return (
      <button type="button" onClick={() => again((count) => count + 1)}>
        {data?.at.getUTCFullYear()}
      </button>
    )
  }
  show(<Show />)
  await settle()
  await act(async () => screen.getByText('2026').click())
  await advance(minute)
  await act(() => cache.json('/at'))
  await settle()
  expect(seen).toHaveLength(3)
  expect(seen[1]).toEqual({ at: new Date('2026-01-02') })
  expect(seen[2]).toBe(seen[1])
  expectNoErrors()
})

test('a schema is asked once for a body, however many components have it', async () => {
  const { cache, show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 1, name: 'Cup' } })
  const asked: unknown[] = []
  const schemaOf = (suffix: string): StandardSchemaV1<unknown, string> => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        asked.push(value)
        return { value: `${(value as Product).name}${suffix}` }
      },
    },
  })
  const [one, other] = [schemaOf('.'), schemaOf('!')]
  const Show = ({ schema }: { schema: typeof one }) => <p>{useFetch('/product', { schema }).data}</p>
  show([1, 2, 3].map((key) => <Show key={key} schema={one} />))
  await settle()
  expect(screen.getAllByText('Cup.')).toHaveLength(3)
  expect(asked).toHaveLength(1)
  await act(async () => void cache.update<Product>('/product', (product) => ({ ...product, name: 'Mug' })))
  expect(screen.getAllByText('Mug.')).toHaveLength(3)
  expect(asked).toHaveLength(2)
  show(<Show schema={other} />)
  expect(screen.getAllByText('Mug!')).toHaveLength(1)
})

test('a body that does not fit the schema is an error, also when memory has had it before', async () => {
  const { cache, show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 'one' } })
  await cache.json('/product')
  const schema = z.object({ id: z.number() })
  const { seen, note } = recorder()
  const Show = () => {
    const { status, data, error } = useFetch('/product', { schema })
    note([status, data, (error as CacheError | undefined)?.code])
    return null
  }
  show(<Show />)
  await settle()
  expect(seen).toEqual([
    ['pending', undefined, undefined],
    ['error', undefined, 'schema'],
  ])
})

test('what update() makes goes through the schema: one that takes its time, and one that refuses it until it is rolled back', async () => {
  const { cache, show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 1 } })
  const quick = z.object({ id: z.number() })
  const slow: StandardSchemaV1<unknown, { id: number }> = {
    '~standard': { ...quick['~standard'], validate: async (value) => quick['~standard'].validate(value) },
  }
  const Show = ({ schema }: { schema: typeof slow }) => {
    const { data, status, error } = useFetch('/product', { schema })
    return <p>{`${status} ${data?.id} ${(error as CacheError | undefined)?.code} `}</p>
  }
  for (const schema of [quick, slow]) {
    const { container, unmount } = show(<Show schema={schema} />)
    await settle()
    let change = cache.update('/product', () => ({ id: 2 }))
    await settle()
    expect(container.textContent).toBe('success 2 undefined ')
    change.rollback()
    change = cache.update('/product', () => ({ id: 'two' }))
    await settle()
    expect(container.textContent).toBe('error undefined schema ')
    change.rollback()
    await settle()
    expect(container.textContent).toBe('success 1 undefined ')
    unmount()
  }
  expect(origin.requests).toHaveLength(1)
})

test('a select that throws is an error of the hook, not of the page, and ends with the data that it throws on', async () => {
  const { cache, show, origin, settle, expectNoErrors } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: null })
  const select = (product: Product) => product.name
  const Show = () => {
    const { status, data, error } = useFetch('/product', { select })
    return <p>{`${status} ${data} ${error instanceof TypeError}`}</p>
  }
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('error undefined true')
  await act(async () => void cache.update('/product', () => ({ id: 1, name: 'Cup' })))
  expect(container.textContent).toBe('success Cup false')
  expectNoErrors()
})

test('a schema that takes its time', async () => {
  const { show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 1 } })
  const schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value: unknown) => ({ value: (value as { id: number }).id }),
    },
  } as const
  const Show = () => {
    const { data, status } = useFetch('/product', { schema })
    return <p>{`${status} ${data}`}</p>
  }
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('success 1')
})

test('maxStaleMs: one view accepts what another one has validated (RFC 9111 §5.2.1.2)', async () => {
  const { cache, show, origin, clock, settle, wrap } = page()
  origin.serves('/n', { cacheControl: 'max-age=60', etag: '"1"', json: 1 })
  await cache.json('/n')
  await clock.advance(minute + 1)
  const Show = ({ maxStaleMs }: { maxStaleMs?: number }) => {
    const { data, cause } = useFetch<number>('/n', maxStaleMs === undefined ? {} : { maxStaleMs })
    return <p>{`${data} ${cause}`}</p>
  }
  const view = show(<Show maxStaleMs={minute} />)
  await settle()
  expect(view.container.textContent).toBe('1 max-stale')
  expect(origin.requests).toHaveLength(1)
  view.rerender(wrap(<Show />))
  await settle()
  expect(origin.requests).toHaveLength(2)
})

test('fields of the request choose the variant, and a change of them is another request (RFC 9111 §4.1)', async () => {
  const { show, origin, settle, wrap } = page()
  origin.serves('/greeting', ({ headers }) => ({
    cacheControl: 'max-age=60',
    vary: 'Prefer',
    json: headers.prefer,
  }))
  const Show = ({ language }: { language: string }) => (
    <p>{useFetch<string>('/greeting', { headers: { prefer: language } }).data}</p>
  )
  const view = show(<Show language="de" />)
  await settle()
  view.rerender(wrap(<Show language="en" />))
  await settle()
  expect(view.container.textContent).toBe('en')
  view.rerender(wrap(<Show language="de" />))
  expect(view.container.textContent).toBe('de')
  expect(origin.requests).toHaveLength(2)
})

test('a string, a URL and a Request mean the same', async () => {
  const { show, origin, settle } = page()
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'a' })
  const Show = () => (
    <p>
      {useFetch<string>('/a').data}
      {useFetch<string>(new URL('/a', origin.url)).data}
      {useFetch<string>(new Request(`${origin.url}/a`)).data}
      {useFetch<string>('a').data}
    </p>
  )
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('aaaa')
  expect(origin.requests).toHaveLength(1)
})

test('a stale answer is shown at once while a refresh is under way behind it, and says so (RFC 5861 §3)', async () => {
  const { cache, show, origin, clock, settle } = page()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60, stale-while-revalidate=600', json: version }))
  await cache.json('/n')
  await clock.advance(minute)
  version = 2
  const held = origin.hold('/n')
  const Show = () => {
    const { data, isRevalidating, isStale } = useFetch<number>('/n')
    return <p>{`${data} ${isStale} ${isRevalidating}`}</p>
  }
  const { container } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('1 true true')
  held.release()
  await settle()
  expect(container.textContent).toBe('2 false false')
})

test('a refresh behind that fails ends, and what is shown stays', async () => {
  const { cache, show, origin, clock, settle } = page()
  origin.serves('/n', { cacheControl: 'max-age=60, stale-while-revalidate=600', json: 1 })
  await cache.json('/n')
  await clock.advance(minute)
  origin.fails('/n', 'network')
  const Show = () => {
    const { data, status, isRevalidating } = useFetch<number>('/n')
    return <p>{`${data} ${status} ${isRevalidating}`}</p>
  }
  const { container, unmount } = show(<Show />)
  await settle()
  expect(container.textContent).toBe('1 success false')
  unmount()
  await settle()
  const again = show(<Show />) // the refresh rests for a while; nothing is under way
  await settle()
  expect(again.container.textContent).toBe('1 success false')
})

test('a soft purge reads again what is on the page, a hard one takes it away first', async () => {
  const { cache, show, origin, settle } = page()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', tags: ['n'], json: version++ }))
  const { seen, note } = recorder()
  const Show = () => {
    note(useFetch<number>('/n').data)
    return null
  }
  show(<Show />)
  await settle()
  await act(() => cache.purge({ tag: 'n' }))
  await settle()
  expect(seen).toEqual([undefined, 1, 2])
  await act(() => cache.purge({ tag: 'n' }, { mode: 'hard' }))
  await settle()
  expect(seen).toEqual([undefined, 1, 2, undefined, 3])
})

test('a purge that is spread over time is read anew by the cache, not by the page at once; what it cannot store is read when the time is over', async () => {
  const { cache, show, origin, settle, advance } = page()
  let version = 1
  for (const [path, cacheControl] of [
    ['/n', 'max-age=600'],
    ['/unstored', 'no-store'],
  ] as const)
    origin.serves(path, () => ({ cacheControl, json: `${path} ${version}` }))
  const Show = ({ path }: { path: string }) => <p>{useFetch<string>(path).data}</p>
  const { container } = show([<Show key="1" path="/n" />, <Show key="2" path="/unstored" />])
  await settle()
  version = 2
  await act(() => cache.purge({ all: true }, { spreadMs: 10_000 }))
  await settle()
  expect(container.textContent).toBe('/n 1/unstored 1')
  expect(origin.requests).toHaveLength(2)
  await advance(12_000)
  expect(container.textContent).toBe('/n 2/unstored 2')
  expect(origin.requests.filter(({ path }) => path === '/n')).toHaveLength(2)
})

test('what came before a purge is not shown after it, though it lands later', async () => {
  const { cache, show, origin, settle } = page()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', json: version++ }))
  const { seen, note } = recorder()
  const Show = () => {
    note(useFetch<number>('/n').data)
    return null
  }
  const held = origin.hold('/n')
  show(<Show />)
  await settle()
  await act(() => cache.purge({ url: '/n' }, { mode: 'hard' }))
  held.release()
  await settle()
  expect(seen).toEqual([undefined, 2])
})

test('a write by the hook: at once, confirmed after the response, and never the old value between (RFC 9111 §4.4)', async () => {
  const { show, origin, settle, cache, wrap } = page()
  let count = 1
  origin.serves('GET /cart', () => ({ cacheControl: 'max-age=60', json: { count } }))
  origin.serves('POST /cart', () => {
    count = 2
    return { json: {} }
  })
  const { seen, note } = recorder()
  note(undefined)
  const Show = () => {
    const shop = useCache()
    const { data, update } = useFetch<{ count: number }>('/cart')
    if (data?.count !== seen.at(-1)) note(data?.count)
    async function add() {
      const change = update((cart) => ({ count: cart.count + 1 }))
      const response = await shop.fetch('/cart', { method: 'POST' })
      if (!response.ok) change.rollback()
    }
    return (
      <button type="button" onClick={add}>
        {data?.count}
      </button>
    )
  }
  const view = show(<Show />)
  await settle()
  const posting = origin.hold('POST /cart')
  await act(async () => screen.getByText('1').click())
  await act(() => cache.json('/cart', { cache: 'reload' }))
  expect(seen).toEqual([undefined, 1, 2])
  posting.release()
  await settle()
  expect(seen).toEqual([undefined, 1, 2])
  expect(cache.peek('/cart')).toMatchObject({ data: { count: 2 }, stale: false })
  expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET', 'GET'])

  origin.fails('POST /cart', 500)
  await act(async () => screen.getByText('2').click())
  await settle()
  expect(seen).toEqual([undefined, 1, 2, 3, 2])
  view.rerender(wrap(null))
})

test('two parts of a page never show two versions, also in a transition', async () => {
  const { show, cache, origin, settle } = page()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', json: version++ }))
  const torn: unknown[] = []
  let start = () => {}
  const Part = () => <i>{useFetch<number>('/n').data}</i>
  const Show = () => {
    const [turn, setTurn] = useState(0)
    const [, startTransition] = useTransition()
    const deferred = useDeferredValue(turn)
    start = () => startTransition(() => setTurn((now) => now + 1))
    return (
      <p data-turn={deferred}>
        {Array.from({ length: 50 }, (_, index) => (
          <Part key={`${turn} ${String(index)}`} />
        ))}
      </p>
    )
  }
  const { container } = show(<Show />)
  const look = () => {
    const texts = new Set([...container.querySelectorAll('i')].map(({ textContent }) => textContent))
    if (texts.size > 1) torn.push([...texts])
  }
  const watching = new MutationObserver(look)
  watching.observe(container, { subtree: true, childList: true, characterData: true })
  await settle()
  for (let turn = 0; turn < 5; turn++) {
    await act(async () => {
      start()
      await cache.json('/n', { cache: 'reload' })
    })
    look()
  }
  expect(container.querySelector('i')?.textContent).toBe('6')
  expect(torn).toEqual([])
  watching.disconnect()
})

test('useCache() gives the cache of the provider, and without one the error says what to do', () => {
  const { cache, show, errors } = page()
  let found: unknown
  const Show = () => {
    found = useCache()
    return null
  }
  show(
    <CacheProvider cache={cache}>
      <Show />
    </CacheProvider>,
  )
  expect(found).toBe(cache)
  errors.mockClear()
  expect(() => render(<Show />)).toThrow('put <CacheProvider cache={createCache()}> around it')
})
