import { type BrowserContext, test as base, expect, type Page } from '@playwright/test'
import { startTabsOrigin, type TabsOrigin } from './tabs-origin.ts'
import type {} from './tabs-page.ts'

// Ten tabs as one cache, with real locks and a real channel (DESIGN 7, FAULTS 4.5).

const test = base.extend<{ origin: TabsOrigin }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  origin: async ({}, use) => {
    const origin = await startTabsOrigin()
    await use(origin)
    await origin.close()
  },
})
test.describe.configure({ timeout: 120_000 })

async function open(context: BrowserContext, { url }: TabsOrigin, count: number): Promise<Page[]> {
  const pages = await Promise.all(Array.from({ length: count }, () => context.newPage()))
  await Promise.all(pages.map((page) => page.goto(url)))
  await Promise.all(pages.map((page) => page.evaluate(() => tab.openPatiently())))
  return pages
}
const errorsOf = async (pages: readonly Page[]) =>
  (await Promise.all(pages.map((page) => page.evaluate(() => tab.told().errors)))).flat()

test('ten tabs and the worker ask for the same cold keys at once: one request for each', { tag: '@long' }, async ({
  context,
  origin,
  browserName,
}) => {
  const [tabs, keys] = browserName === 'chromium' ? [10, 1_000] : [4, 100]
  const [first] = await open(context, origin, 1)
  await first?.evaluate(() => tab.registerWorker())
  const pages = await open(context, origin, tabs + 1)
  for (const page of pages) expect(await page.evaluate(() => tab.isControlled())).toBe(true)
  const [plain, ...others] = pages
  const paths = Array.from({ length: keys }, (_, index) => `/w/${index}`)
  const reading = [
    plain?.evaluate((asked) => tab.readPlainly(asked), paths),
    ...others.map((page) => page.evaluate((asked) => tab.read(asked), paths)),
  ]
  const answers = await Promise.all(reading)
  expect(origin.asked()).toBe(keys)
  for (const answer of answers) expect(answer).toEqual(answers[0])
  expect(await errorsOf(pages)).toEqual([])
})

test('five tabs, a hundred callers each, one cold key: one request', async ({ context, origin }) => {
  const pages = await open(context, origin, 5)
  const release = origin.hold('/one')
  const reading = Promise.all(pages.map((page) => page.evaluate(() => tab.crowd('/one', 100))))
  await expect.poll(() => origin.asked('/one')).toBe(1)
  release()
  expect(await reading).toEqual(Array(5).fill([1]))
  expect(origin.asked('/one')).toBe(1)
})

test('the tab with the flight is closed: one more request, and every caller is answered (FAULTS F-53)', async ({
  context,
  origin,
}) => {
  const [holder, ...others] = (await open(context, origin, 5)) as [Page, ...Page[]]
  const release = origin.hold('/one')
  await holder.evaluate(() => tab.begin('/one'))
  await expect.poll(() => origin.asked('/one')).toBe(1)
  const reading = Promise.all(others.map((page) => page.evaluate(() => tab.crowd('/one', 100))))
  await holder.close()
  await expect.poll(() => origin.asked('/one')).toBe(2)
  release()
  expect(await reading).toEqual(Array(4).fill([2]))
  expect(origin.asked('/one')).toBe(2)
})

test('a purge in one tab holds in all (DESIGN 12, law 2; FAULTS F-58)', async ({ context, origin }) => {
  const pages = await open(context, origin, 3)
  const [one, ...others] = pages as [Page, ...Page[]]
  for (const page of pages) expect(await page.evaluate(() => tab.read(['/a']))).toEqual([1])
  await one.evaluate(() => tab.purge({ url: '/a' }, 'hard'))
  for (const page of others) await expect.poll(() => page.evaluate(() => tab.peek('/a') ?? 'gone')).toBe('gone')
  for (const page of pages) expect(await page.evaluate(() => tab.read(['/a']))).toEqual([2])
  expect(origin.asked('/a')).toBe(2)
  expect(await errorsOf(pages)).toEqual([])
})
