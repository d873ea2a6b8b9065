import { readFileSync } from 'node:fs'
import { act, render, screen } from '@testing-library/react'
import * as React from 'react'
import ts from 'typescript'
import { expect, test } from 'vitest'
import * as hooks from '../../src/react/index.ts'
import { harness } from '../engine/harness.ts'

const readme = readFileSync('README.md', 'utf8')

test('the block on React runs as it is written', async () => {
  const [, code = ''] = /```jsx\n(.*?)```/s.exec(readme) ?? []
  const imported = [...code.matchAll(/import \{ (.*) \} from 'nearcache\/react'/g)].flatMap(([, names]) =>
    names?.split(', '),
  )
  for (const name of imported) expect(hooks).toHaveProperty(name as string)

  const { cache, origin, clock } = harness()
  let count = 1
  origin.serves('GET /api/cart', () => ({ cacheControl: 'max-age=60', json: { count } }))
  origin.serves('POST /api/cart', () => {
    count++
    return { json: {} }
  })
  const { outputText } = ts.transpileModule(code.replace(/^import .*$/gm, ''), {
    compilerOptions: { jsx: ts.JsxEmit.React, target: ts.ScriptTarget.ES2022 },
  })
  const names = { React, createCache: () => cache, ...hooks }
  const App = new Function(...Object.keys(names), `${outputText}\nreturn App`)(...Object.values(names))
  render(React.createElement(App))
  await act(() => clock.settle())
  const posting = origin.hold('POST /api/cart')
  await act(async () => screen.getByText('1').click())
  screen.getByText('2')
  posting.release()
  await act(() => clock.settle())
  expect(cache.peek('/api/cart')).toMatchObject({ data: { count: 2 }, stale: false })

  origin.fails('POST /api/cart', 500)
  await act(async () => screen.getByText('2').click())
  await act(() => clock.settle())
  screen.getByText('2')
})
