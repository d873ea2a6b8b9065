import { expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'
import { rowsOf } from './database-harness.ts'

test('in a world the database says since when it is whose, as in a browser', async () => {
  const world = await createWorld({ tabs: 1 })
  const [tab] = world.tabs as [WorldContext]
  const entering = tab.cache.setPartition('anna')
  await world.clock.settle()
  await entering
  const head = (await rowsOf(world.database)).find(([key]) => JSON.stringify(key) === '["meta","log"]')
  expect(head?.[1]).toMatchObject({ partition: 'anna', enteredAt: world.clock.now() })
})

test('in a world who signs in later has the database, too', async () => {
  const world = await createWorld({ tabs: 2 })
  const [annas, bens] = world.tabs as [WorldContext, WorldContext]
  const inVain = Array.from({ length: 3 }, (_, index) => index + 1)
  for (const nth of inVain) world.database.inject({ at: 'transaction', nth, fault: 'UnknownError' })
  const failing = annas.cache.setPartition('anna').catch(() => {})
  await world.clock.settle()
  await failing
  world.database.release()
  await world.clock.advance(60_000)
  const entering = bens.cache.setPartition('ben')
  await world.clock.settle()
  await entering
  const looking = annas.cache.fetch('/anything').catch(() => {})
  await world.clock.settle()
  await looking
  const head = (await rowsOf(world.database)).find(([key]) => JSON.stringify(key) === '["meta","log"]')
  expect(head?.[1]).toMatchObject({ partition: 'ben' })
})
