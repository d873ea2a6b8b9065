import type { StandardSchemaV1 } from '@standard-schema/spec'
import { act, screen } from '@testing-library/react'
import { Component, type ReactNode, Suspense, startTransition, useState } from 'react'
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { CacheError } from '../../src/index.ts'
import { useFetch, useSuspenseFetch } from '../../src/react/index.ts'
import { page } from './harness.tsx'

class Boundary extends Component<{ children: ReactNode }> {
  override state: { error?: unknown } = {}
  static getDerivedStateFromError = (error: unknown) => ({ error })
  override render() {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return (
      <button type="button" onClick={() => this.setState({ error: undefined })}>
        {error instanceof CacheError ? error.code : String(error)}
      </button>
    )
  }
}

/** A schema that asks someone else, and accepts everything. */
const slow = <T,>(): StandardSchemaV1<unknown, T> => ({
  '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value: value as T }) },
})

const Show = ({ path }: { path: string }) => <p>{useSuspenseFetch<string>(path).data}</p>

test('it suspends until there is data, and asks once, in StrictMode too', async () => {
  const { show, origin, settle, expectNoErrors } = page()
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'a' })
  origin.serves('/stock', { cacheControl: 'no-store', json: '5' })
  const { container } = show(
    <Suspense fallback="…">
      <Show path="/a" />
      <Show path="/stock" />
    </Suspense>,
    true,
  )
  expect(container.textContent).toBe('…')
  await settle()
  expect(container.textContent).toBe('a5')
  expect(origin.requests.map(({ path }) => path).sort()).toEqual(['/a', '/stock'])
  expectNoErrors()
})

test('what memory holds does not suspend', async () => {
  const { cache, show, origin } = page()
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'a' })
  await cache.json('/a')
  const { container } = show(
    <Suspense fallback="…">
      <Show path="/a" />
    </Suspense>,
  )
  expect(container.textContent).toBe('a')
})

test('an error goes to the boundary; when that is reset the origin is asked again, without a loop (F-84)', async () => {
  const { show, origin, settle, advance } = page()
  origin.serves('/a', { status: 503, cacheControl: 'no-store' })
  const { container } = show(
    <Boundary>
      <Suspense fallback="…">
        <Show path="/a" />
      </Suspense>
    </Boundary>,
  )
  await settle()
  await advance(0)
  expect(container.textContent).toBe('status')
  expect(origin.requests).toHaveLength(1)
  await act(async () => screen.getByText('status').click())
  await settle()
  await advance(0)
  expect(container.textContent).toBe('status')
  expect(origin.requests).toHaveLength(2)
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'a' })
  await act(async () => screen.getByText('status').click())
  await settle()
  expect(container.textContent).toBe('a')
  expect(origin.requests).toHaveLength(3)
})

test('the origin is asked again, too, when somebody else on the page shows the same failure', async () => {
  const { show, origin, settle, advance } = page()
  origin.serves('/a', { status: 503, cacheControl: 'no-store' })
  const Aside = () => <i>{useFetch('/a').status} </i>
  const { container } = show(
    <>
      <Aside />
      <Boundary>
        <Suspense fallback="…">
          <Show path="/a" />
        </Suspense>
      </Boundary>
    </>,
  )
  await settle()
  await advance(0)
  expect(container.textContent).toBe('error status')
  await act(async () => screen.getByText('status').click())
  await settle()
  await advance(0)
  expect(container.textContent).toBe('error status')
  expect(origin.requests).toHaveLength(2)
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'a' })
  await act(async () => screen.getByText('status').click())
  await settle()
  expect(container.textContent).toBe('success a')
  expect(origin.requests).toHaveLength(3)
})

test('a later failure leaves what is shown, and says so', async () => {
  const { show, origin, settle } = page()
  origin.serves('/a', { cacheControl: 'max-age=60', json: 'a' })
  let refresh = async () => {}
  const Told = () => {
    const { data, status, ...means } = useSuspenseFetch<string>('/a')
    refresh = means.refresh
    return <p>{`${data} ${status}`}</p>
  }
  const { container } = show(
    <Suspense>
      <Told />
    </Suspense>,
  )
  await settle()
  origin.fails('/a', 'network')
  await act(() => refresh())
  expect(container.textContent).toBe('a error')
})

test('in a transition the old stays until the new is there', async () => {
  const { show, origin, settle } = page()
  for (const path of ['/a', '/b']) origin.serves(path, { cacheControl: 'max-age=60', json: path })
  const seen: (string | null)[] = []
  let go = (_: string) => {}
  const Page = () => {
    const [path, setPath] = useState('/a')
    go = (next) => startTransition(() => setPath(next))
    return (
      <Suspense fallback="…">
        <Show path={path} />
      </Suspense>
    )
  }
  const { container } = show(<Page />)
  await settle()
  const watching = new MutationObserver(() => seen.push(container.textContent))
  watching.observe(container, { subtree: true, childList: true, characterData: true })
  const held = origin.hold('/b')
  await act(async () => go('/b'))
  await settle()
  expect(container.textContent).toBe('/a')
  held.release()
  await settle()
  watching.disconnect()
  expect(container.textContent).toBe('/b')
  expect(seen).not.toContain('…')
})

test('a schema that is written inside the component suspends once, also one that takes its time', async () => {
  const { show, origin, settle } = page()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 1 } })
  origin.serves('/stock', { cacheControl: 'no-store', json: { left: 5 } })
  const Checked = () => {
    const product = useSuspenseFetch('/product', { schema: z.object({ id: z.number() }) })
    const stock = useSuspenseFetch('/stock', {
      schema: slow<{ left: number }>(),
      select: ({ left }) => left,
    })
    return <p>{`${product.data.id} ${stock.data}`}</p>
  }
  const { container } = show(
    <Suspense fallback="…">
      <Checked />
    </Suspense>,
  )
  await settle()
  expect(container.textContent).toBe('1 5')
  expect(origin.requests.map(({ path }) => path)).toEqual(['/product', '/stock'])
})

test('one that waits longer than a view is kept is not asked for again', async () => {
  const { show, origin, settle, advance } = page()
  origin.serves('/slow', { cacheControl: 'no-store', json: 'late' })
  const held = origin.hold('/slow')
  const { container } = show(
    <Suspense fallback="…">
      <Show path="/slow" />
    </Suspense>,
  )
  await settle()
  await advance(10 * 60_000)
  held.release()
  await settle()
  expect(container.textContent).toBe('late')
  expect(origin.requests).toHaveLength(1)
})

test('what was hard-purged while on the page suspends again', async () => {
  const { cache, show, origin, settle } = page()
  let version = 1
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', json: String(version++) }))
  const { container } = show(
    <Suspense fallback="…">
      <Show path="/a" />
    </Suspense>,
  )
  await settle()
  await act(() => cache.purge({ all: true }, { mode: 'hard' }))
  await settle()
  expect(container.textContent).toContain('2')
  expect(origin.requests).toHaveLength(2)
})
