import { focusManager, QueryClientProvider, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { act, cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { queryClientOver } from '../../demo/recipes/tanstack-query.ts'
import { harness } from '../engine/harness.ts'

afterEach(cleanup)

/** The user comes back to the page. */
function focus(): void {
  focusManager.setFocused(false)
  focusManager.setFocused(true)
}

const Show = () => {
  const { data, isStale } = useQuery<number>({ queryKey: ['/n'] })
  return <p>{`${data} ${isStale}`}</p>
}

test('queries are stale when the headers say so; mounting, focusing and a new client ask nobody before', async () => {
  const { cache, origin, clock } = harness()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', etag: `"${version}"`, json: version }))
  const show = () => {
    return render(
      <QueryClientProvider client={queryClientOver(cache)}>
        <Show />
      </QueryClientProvider>,
    )
  }
  const first = show()
  await screen.findByText('1 false')
  await act(async () => focus())
  first.unmount()
  show()
  await screen.findByText('1 false')
  expect(origin.requests).toHaveLength(1)

  version = 2
  await clock.advance(60_000)
  await act(async () => focus())
  await screen.findByText('2 false')
  expect(origin.requests).toHaveLength(2)
})

test('a mutation invalidates by HTTP; what TanStack refetches afterwards is new', async () => {
  const { cache, origin } = harness()
  let count = 1
  origin.serves('GET /n', () => ({ cacheControl: 'max-age=60', json: count }))
  origin.serves('POST /n', () => {
    count++
    return { json: {} }
  })
  const Add = () => {
    const client = useQueryClient()
    const { mutate } = useMutation({
      mutationFn: () => cache.fetch('/n', { method: 'POST' }),
      onSuccess: () => client.invalidateQueries({ queryKey: ['/n'] }),
    })
    return (
      <button type="button" onClick={() => mutate()}>
        add
      </button>
    )
  }
  render(
    <QueryClientProvider client={queryClientOver(cache)}>
      <Show />
      <Add />
    </QueryClientProvider>,
  )
  await screen.findByText('1 false')
  await act(async () => screen.getByText('add').click())
  await screen.findByText('2 false')
  expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET'])
})
