import { act } from '@testing-library/react'
import { Activity, memo } from 'react'
import { expect, test } from 'vitest'
import { useFetch } from '../../src/react/index.ts'
import { page } from './harness.tsx'

test('what React had hidden and shows again, beside the same request elsewhere: neither keeps the old user', async () => {
  const { show, wrap, cache, origin, settle } = page({ partition: 'ada' })
  let user = 'ada'
  origin.serves('/balance', () => ({ cacheControl: 'no-store', json: user }))
  const Balance = memo(() => <p>{useFetch<string>('/balance').data}</p>)
  const all = (mode: 'visible' | 'hidden', isTwice: boolean) =>
    wrap([
      <Activity key="1" mode={mode}>
        <Balance />
      </Activity>,
      isTwice && <Balance key="2" />,
    ])
  const view = show(all('visible', false))
  await settle()
  for (const one of [all('hidden', false), all('hidden', true), all('visible', true)]) {
    view.rerender(one)
    await settle()
  }
  user = 'bob'
  await act(() => cache.setPartition('bob'))
  await settle()
  expect(view.container.textContent).toBe('bobbob')
})
