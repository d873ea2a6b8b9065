import { expect, type Page } from '@playwright/test'

// What the side-by-side page shows of each lane.

export const lane = (page: Page, id: string) => page.locator(`[data-lane="${id}"]`)
const tally = (page: Page, id: string, what: string) => page.locator(`[data-tally="${id}"]`).getByTestId(what)
export const requests = async (page: Page, id: string) => Number(await tally(page, id, 'requests').textContent())
export const waited = (page: Page, id: string) => tally(page, id, 'waited')

/** All three have shown something, or that there is nothing, and have been counted. */
export async function done(page: Page): Promise<void> {
  await expect(page.locator('.lane[data-done="true"]')).toHaveCount(3)
}
