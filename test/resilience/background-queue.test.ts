import { expect, test } from 'vitest'
import { createBackgroundQueue } from '../../src/resilience/background-queue.ts'

/** Work that ends when told, in the order in which it began. */
function bench(options: { waiting?: number; quiet?: () => boolean } = {}) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const queue = createBackgroundQueue({
    isQuiet: options.quiet ?? (() => false),
    ...(options.waiting && { waiting: options.waiting }),
  })
  const settled: string[] = []
  const take = (path: string, name?: string) =>
    queue
      .take(`https://origin.test/${path}`, name, () => {
        begun.push(path)
        return new Promise<void>((resolve) => ends.set(path, resolve))
      })
      .then(() => settled.push(path))
  const end = async (path: string) => {
    ends.get(path)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { queue, take, begun, settled, end }
}

test('two at a time, at once; the others one after another, first come first served', async () => {
  const { take, begun, end } = bench()
  for (const path of ['a', 'b', 'c', 'd']) take(path)
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  expect(begun).toEqual(['a', 'b', 'c'])
  await end('a')
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
})

test('each origin has queue of its own', () => {
  const { take, begun, queue } = bench()
  for (const path of ['a', 'b', 'c']) take(path)
  queue.take('https://other.test/', undefined, async () => begun.push('other'))
  expect(begun).toEqual(['a', 'b', 'other'])
})

test('the same is queued once', async () => {
  const { take, begun, end, settled } = bench()
  for (const path of ['a', 'b']) take(path)
  take('c', 'c')
  take('c', 'c')
  await end('a')
  await end('c')
  await end('b')
  expect(begun).toEqual(['a', 'b', 'c'])
  expect(settled).toHaveLength(4)
})

test('when too much waits, the longest waiting is dropped, and whoever waits for it hears so', async () => {
  const { take, begun, end, settled } = bench({ waiting: 2 })
  for (const path of ['a', 'b', 'c', 'd', 'e']) take(path)
  await end('a')
  await end('b')
  expect(begun).toEqual(['a', 'b', 'd', 'e'])
  expect(settled).toContain('c')
})

test('nothing is begun while the user saves data or does not look, also when its turn comes only then', async () => {
  let quiet = false
  const { take, begun, end, settled } = bench({ quiet: () => quiet })
  for (const path of ['a', 'b', 'c']) take(path)
  quiet = true
  take('d')
  await end('a')
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  expect(settled.sort()).toEqual(['a', 'b', 'c', 'd'])
  quiet = false
  take('e')
  expect(begun).toEqual(['a', 'b', 'e'])
})

test('work that fails frees its turn', async () => {
  const { queue, begun } = bench()
  for (let count = 0; count < 5; count++)
    await queue.take('https://origin.test/', undefined, async () => {
      begun.push(String(count))
      throw new Error('ill')
    })
  expect(begun).toHaveLength(5)
})
