import { expect, test } from 'vitest'
import { harness } from './harness.ts'

test.each(['on', 'subscribe'] as const)(
  '%s(): who has ended hears nothing any more, also when that was inside this very event',
  async (how) => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'x' })
    const heard: string[] = []
    const listen = (listener: () => void) =>
      how === 'on'
        ? cache.on(({ type }) => type === 'stored' && listener())
        : cache.subscribe('/a', ({ type }) => type === 'stored' && listener())
    let end = () => {}
    listen(() => {
      heard.push('first')
      end()
    })
    end = listen(() => heard.push('second'))
    await (await cache.fetch('/a')).text()
    await cache.settled()
    expect(heard).toEqual(['first'])
  },
)
