import { expect, test } from 'vitest'
import { pageLifecycle } from '../../src/platform/page-lifecycle.ts'
import type { Stage } from '../../src/ports/lifecycle.ts'

/** As a browser tells that a page is shown; `persisted`: it comes out of the back/forward cache. */
const pageShow = (persisted: boolean) => Object.assign(new Event('pageshow'), { persisted })

test('a page goes away and is back by the events that do not keep it out of the back/forward cache (HTML, page lifecycle)', () => {
  const stages: Stage[] = []
  const end = pageLifecycle((stage) => stages.push(stage))
  const all = () => {
    for (const type of ['pagehide', 'unload', 'beforeunload']) window.dispatchEvent(new Event(type))
    window.dispatchEvent(pageShow(false))
    window.dispatchEvent(pageShow(true))
    for (const type of ['freeze', 'resume']) document.dispatchEvent(new Event(type))
    document.dispatchEvent(new Event('visibilitychange'))
    return stages.splice(0)
  }
  expect(all()).toEqual(['hidden', 'restored', 'hidden', 'restored', 'shown'])
  end()
  expect(all()).toEqual([])
})
