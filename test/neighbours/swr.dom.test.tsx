import { act, cleanup, render } from '@testing-library/react'
import useSWR, { SWRConfig } from 'swr'
import { afterEach, expect, test } from 'vitest'
import { swrOver } from '../../demo/recipes/swr.ts'
import { harness } from '../engine/harness.ts'

afterEach(cleanup)

test('SWR revalidates as it always does, and the origin is asked when the headers say so', async () => {
  const { cache, origin, clock } = harness()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', json: version }))
  let again = async () => {}
  const Show = () => {
    const { data, mutate } = useSWR<number>('/n')
    again = async () => void (await mutate())
    return <p>{data}</p>
  }
  const { container } = render(
    <SWRConfig value={{ ...swrOver(cache), provider: () => new Map(), dedupingInterval: 0 }}>
      <Show />
    </SWRConfig>,
  )
  await act(() => clock.settle())
  for (let time = 0; time < 5; time++) await act(() => again())
  expect(container.textContent).toBe('1')
  expect(origin.requests).toHaveLength(1)

  version = 2
  await clock.advance(60_000)
  await act(() => again())
  expect(container.textContent).toBe('2')
  expect(origin.requests).toHaveLength(2)
})
