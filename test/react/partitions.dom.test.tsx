import { act } from '@testing-library/react'
import { useLayoutEffect } from 'react'
import { expect, test } from 'vitest'
import { CacheProvider, useFetch, useSuspenseFetch } from '../../src/react/index.ts'
import { harness } from '../engine/harness.ts'
import { page } from './harness.tsx'

/** An API that says who asks, and a page that shows it: in memory, as text that no peek() sees, kept from before, and not storable. */
async function signedIn() {
  const world = page({ partition: 'ada' })
  const { origin } = world
  let user = 'ada'
  for (const path of ['/me', '/note', '/one', '/two'])
    origin.serves(path, () => ({ cacheControl: 'private, max-age=60', json: user }))
  origin.serves('/balance', () => ({ cacheControl: 'no-store', json: user }))
  const painted: string[] = []
  const Me = ({ path = '/one' }: { path?: string }) => {
    const me = useFetch<string>('/me')
    const note = useFetch('/note', { as: 'text' })
    const kept = useFetch<string>(path, { keepPrevious: true })
    const balance = useFetch<string>('/balance')
    const text = [me, note, kept, balance].map(({ data }) => data).join()
    painted.push(text)
    return <p>{text}</p>
  }
  return {
    ...world,
    Me,
    painted,
    become(next: string) {
      user = next
    },
  }
}

test('after setPartition() was called nothing of the old user is rendered (F-62)', async () => {
  const { show, Me, cache, settle, become, painted, expectNoErrors } = await signedIn()
  const { container } = show(<Me />)
  await settle()
  expect(container.textContent).toBe('ada,"ada",ada,ada')
  painted.length = 0
  become('bob')
  await act(async () => {
    const entering = cache.setPartition('bob')
    expect(cache.peek('/me')).toBeUndefined()
    await entering
  })
  await settle()
  expect(container.textContent).toBe('bob,"bob",bob,bob')
  expect(painted.join()).not.toContain('ada')
  expectNoErrors()
})

test('what is kept from another key is not kept over a sign-out', async () => {
  const { show, wrap, origin, Me, cache, settle, become, painted } = await signedIn()
  const view = show(<Me />)
  await settle()
  painted.length = 0
  become('bob')
  origin.hold('/two')
  act(() => {
    void cache.setPartition('bob')
    view.rerender(wrap(<Me path="/two" />))
  })
  await settle()
  expect(painted.join()).not.toContain('ada')
  expect(view.container.textContent).toBe('bob,"bob",,bob')
})

test('sign-out during a flight: its answer is not shown, and nothing is asked twice', async () => {
  const { show, origin, cache, settle, become, expectNoErrors } = await signedIn()
  const Show = () => <p>{useFetch<string>('/me').data}</p>
  const held = origin.hold('/me')
  const { container } = show(<Show />)
  await settle()
  become('bob')
  await act(() => cache.setPartition('bob'))
  held.release()
  await settle()
  expect(container.textContent).toBe('bob')
  expect(origin.requests).toHaveLength(2)
  expectNoErrors()
})

test('sign-out while a component is suspended: it is shown what the new user is answered', async () => {
  const { show, origin, cache, settle, become } = await signedIn()
  const Show = () => <p>{useSuspenseFetch<string>('/balance').data}</p>
  const held = origin.hold('/balance')
  const { container } = show(<Show />)
  await settle()
  become('bob')
  await act(() => cache.setPartition('bob'))
  held.release()
  await settle()
  expect(container.textContent).toBe('bob')
})

test('sign-out between rendering and effects: what was rendered before it is not kept after it', async () => {
  const { show, origin, cache, settle, become, expectNoErrors } = await signedIn()
  await cache.json('/me')
  const seen: unknown[] = []
  let isOut = false
  const Show = () => {
    const { data } = useFetch<string>('/me', { keepPrevious: true })
    if (isOut) seen.push(data)
    useLayoutEffect(() => {
      if (isOut) return
      isOut = true
      become('bob')
      origin.hold('/me')
      void cache.setPartition('bob')
    })
    return <p>{data}</p>
  }
  show(<Show />)
  await settle()
  expect(seen).not.toContain('ada')
  expectNoErrors()
})

test('what is kept is not kept for another cache: an app may have one for each user', async () => {
  const { show, wrap, origin, cache, settle } = await signedIn()
  const other = harness()
  origin.serves('/me', { json: 'ada' })
  other.origin.serves('/me', { json: 'bob' })
  other.origin.hold('/me')
  const Show = () => <p>{useFetch<string>(`${origin.url}/me`, { keepPrevious: true }).data}</p>
  const all = (one: typeof cache) => (
    <CacheProvider cache={one}>
      <Show />
    </CacheProvider>
  )
  const view = show(all(cache))
  await settle()
  expect(view.container.textContent).toBe('ada')
  view.rerender(wrap(all(other.cache)))
  await settle()
  expect(view.container.textContent).toBe('')
})

test('after sign-out the origin is being asked, and isRevalidating says so', async () => {
  const { show, origin, cache, settle } = await signedIn()
  const Show = () => <p>{String(useFetch('/me').isRevalidating)}</p>
  const { container } = show(<Show />)
  await settle()
  origin.hold('/me')
  await act(() => cache.setPartition('bob'))
  await settle()
  expect(container.textContent).toBe('true')
})
